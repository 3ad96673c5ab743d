"""How tests are written: nothing patched, no sleeps, packages at every level."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import source

TESTS = Path(__file__).resolve().parents[1]
SUPPORT = TESTS / "support"
# Each ends a wait by the clock or puts a stranger in somebody's place.
FORBIDDEN = {"mock.patch", "monkeypatch.setattr", "time.sleep"}
LAST_WORDS = {word.rpartition(".")[2] for word in FORBIDDEN}
# Each begins a process.
PROCESSES = {"subprocess", "create_subprocess_exec", "create_subprocess_shell"}
# Each changes what all tests of the cluster stand on, or takes it away for a while.
DISTURBING = re.compile(
    r"installed\.changed|release\.(install|uninstall)\(|processes\.of_component|\bdrain\b|\"hack\" / \"up\""
)
# Programs that a test runs inside a pod: they are no tests.
INSIDE = SUPPORT / "inside"


def _files() -> list[Path]:
    return sorted(path for path in TESTS.rglob("*.py") if "__pycache__" not in path.parts)


def _folders() -> list[Path]:
    return [TESTS, *sorted({path.parent for path in _files()} - {TESTS})]


def _attributes(path: Path) -> Iterator[tuple[int, str]]:
    for node in source.nodes(path):
        if isinstance(node, ast.Attribute) and node.attr in LAST_WORDS:
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_nothing_is_patched_and_nobody_sleeps() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line} {name}"
        for path in _files()
        if INSIDE not in path.parents
        for line, name in _attributes(path)
        if any(name == word or name.endswith(f".{word}") for word in FORBIDDEN)
    ]
    assert not found


def _words(path: Path) -> Iterator[str]:
    for node in source.nodes(path):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _helpers() -> set[str]:
    """Modules of support that begin processes, by themselves or through each other."""
    words = {f"tests.support.{path.stem}": set(_words(path)) for path in SUPPORT.glob("*.py")}
    found: set[str] = set()
    while more := {name for name in words.keys() - found if words[name] & (PROCESSES | found)}:
        found |= more
    return found


def _starting_processes(tier: str) -> list[str]:
    starting = PROCESSES | _helpers()
    files = (path for path in _files() if path.is_relative_to(TESTS / tier))
    return [str(path.relative_to(TESTS)) for path in files if starting & set(_words(path))]


def test_the_unit_tier_starts_no_process_and_the_store_tier_is_seen_to() -> None:
    assert _starting_processes("unit") == []
    assert {"store/test_verbs.py", "store/agent/test_process.py"} <= {*_starting_processes("store")}


def test_every_test_folder_is_a_package() -> None:
    # With a gap in the chain two files of one name break mypy and pytest.
    assert not [str(folder) for folder in _folders() if not (folder / "__init__.py").exists()]


def test_no_test_folder_is_called_like_the_standard_module_operator() -> None:
    assert not [str(folder) for folder in _folders() if folder.name == "operator"]


def test_every_test_file_holds_a_test() -> None:
    empty = [
        str(path.relative_to(TESTS))
        for path in _files()
        if path.name.startswith("test_") and "def test_" not in path.read_text()
    ]
    assert not empty


def _is_alone(path: Path) -> bool:
    """Whether all tests of a module are marked so; what stands in a text that it sends to a pod is no mark."""
    marks = [each for each in ast.parse(path.read_text()).body if isinstance(each, ast.Assign)]
    return any(
        ast.unparse(each.targets[0]) == "pytestmark"
        and "pytest.mark.alone" in ast.unparse(each.value)
        for each in marks
    )


def test_who_disturbs_the_platform_of_the_cluster_tier_runs_alone() -> None:
    modules = sorted((TESTS / "cluster").glob("test_*.py"))
    disturbing = {path.name for path in modules if DISTURBING.search(path.read_text())}
    assert disturbing
    assert disturbing <= {path.name for path in modules if _is_alone(path)}
