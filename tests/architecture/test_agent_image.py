"""The agent image holds what its program loads of the platform: it copies files one by one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import source

REPOSITORY = Path(__file__).parents[2]
OPERATOR = REPOSITORY / "operator"
PROGRAM = REPOSITORY / "images/agent/coxswain_agent"


def _files_of(module: str) -> Iterator[Path]:
    """The files that an import of this module runs."""
    place = OPERATOR
    for part in module.split("."):
        place /= part
        yield from (
            each for each in (place / "__init__.py", place.with_suffix(".py")) if each.exists()
        )


def _imported(path: Path) -> Iterator[str]:
    for node in source.nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _loaded() -> set[Path]:
    found, left = set[Path](), list(PROGRAM.rglob("*.py"))
    while left:
        for module in _imported(left.pop()):
            if module.split(".")[0] == "coxswain":
                new = set(_files_of(module)) - found
                found |= new
                left += new
    return found


def _copied() -> list[Path]:
    lines = (REPOSITORY / "images/agent/Containerfile").read_text()
    return [REPOSITORY / each for each in re.findall(r"operator/coxswain/[\w./]+", lines)]


def test_whatever_the_program_loads_is_copied() -> None:
    copied = _copied()
    lacking = [
        str(path.relative_to(REPOSITORY))
        for path in _loaded()
        if not any(path == each or each in path.parents for each in copied)
    ]
    assert lacking == []
