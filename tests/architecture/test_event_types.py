"""Events come from registered types: the platform cannot tell what nobody has described."""

import ast
from pathlib import Path

from coxswain.api.event_types import registry
from tests.support import source

REPOSITORY = Path(__file__).resolve().parents[2]
# Read from the log; and what came in from outside, checked at its door.
BARE = {
    "operator/coxswain/store/events.py",
    "operator/coxswain/store/reports.py",
    "operator/coxswain/sidecar/event_routes.py",
}
CHECKED = {
    "operator/coxswain/sidecar/run_routes.py",
    "operator/coxswain/sidecar/event_routes.py",
}
PRODUCT = ("operator", "controllers", "images")


FAMILIES = {f"{name.rpartition('.')[0]}." for name in registry.VERSIONS}


def _calls(name: str) -> set[str]:
    """The files that call something so, but for the waits of asyncio."""
    found = set()
    for root in PRODUCT:
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            for node in source.nodes(path):
                if isinstance(node, ast.Call) and _says(node.func, name):
                    found.add(str(path.relative_to(REPOSITORY)))
    return found


def _says(function: ast.expr, name: str) -> bool:
    text = ast.unparse(function)
    return not text.startswith("asyncio.") and text in (name, f"events.{name}", f"records.{name}")


def test_an_event_of_ours_is_made_from_a_type_and_its_data() -> None:
    assert _calls("Event") == BARE


def test_what_comes_in_is_checked_before_it_is_written() -> None:
    found = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "operator").rglob("*.py")
        if "event_checks.check(" in path.read_text()
    }
    assert found == CHECKED


def _names_a_type(node: ast.AST) -> bool:
    """Whether a type is written there: by itself, quoted in a statement, or as a beginning and what follows."""
    if isinstance(node, ast.JoinedStr):
        head = node.values[0] if node.values else None
        return isinstance(head, ast.Constant) and head.value in FAMILIES
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    text = node.value
    return text in registry.VERSIONS or any(f"'{name}'" in text for name in registry.VERSIONS)


def test_a_type_is_named_by_the_registry_and_not_written_out() -> None:
    found = set()
    for root in PRODUCT:
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            for node in source.nodes(path):
                if _names_a_type(node):
                    found.add(path.relative_to(REPOSITORY))
    types = Path("operator/coxswain/api/event_types")
    assert {each for each in found if each.parent != types} == set()
    assert found


def test_who_makes_events_from_types_is_found_at_all() -> None:
    assert len(_calls("Event.of")) > 8
