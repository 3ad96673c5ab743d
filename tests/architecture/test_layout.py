"""The house itself: where things stand, how large they are, what they are called."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import source

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = {
    "operator": "coxswain",
    "controllers": "coxswain_controllers",
}
PRODUCT = ("operator", "controllers", "images")
SOURCES = (*PRODUCT, "hack", "tests")
FURNITURE = {"handlers.py", "observe.py", "decide.py", "status.py"}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}
FILE_LINES = 400
FUNCTION_LINES = 50
PARAMETERS = 5
ROOT_FILES = {"README.md", "LICENSE", "pyproject.toml", "requirements.lock"}
ROOT_FOLDERS = {"operator", "controllers", "images", "crds", "charts", "tests", "hack", "docs"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def _functions(path: Path) -> Iterator[Function]:
    for node in source.nodes(path):
        if isinstance(node, Function):
            yield node


def _name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


@pytest.mark.parametrize(("root", "package"), ROOTS.items())
def test_a_source_root_holds_its_package_and_nothing_else(root: str, package: str) -> None:
    assert _visible(REPOSITORY / root) == {package}


def test_the_agents_source_root_is_no_package() -> None:
    assert not (REPOSITORY / "images" / "agent" / "__init__.py").exists()
    assert (REPOSITORY / "images" / "agent" / "coxswain_agent" / "__init__.py").exists()


def test_the_top_of_the_repository_holds_only_what_the_house_names() -> None:
    names = {name for name in _visible(REPOSITORY) if not name.startswith(".")}
    assert names <= ROOT_FILES | ROOT_FOLDERS


def test_every_room_has_the_same_furniture() -> None:
    rooms = [
        path
        for path in (REPOSITORY / "controllers" / "coxswain_controllers").iterdir()
        if (path / "__init__.py").exists()
    ]
    assert rooms
    missing = {room.name: FURNITURE - _visible(room) for room in rooms}
    assert not {room: names for room, names in missing.items() if names}


def test_every_room_is_found_by_an_entry_point() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    entries = project["entry-points"]["coxswain.controllers"]
    rooms = {
        path.parent.name: f"coxswain_controllers.{path.parent.name}.handlers"
        for path in (REPOSITORY / "controllers").rglob("handlers.py")
    }
    assert entries == rooms


def test_no_file_is_longer_than_the_stop() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in _python_files(*SOURCES)}
    assert not {name: lines for name, lines in lengths.items() if lines > FILE_LINES}


def test_no_function_is_longer_than_the_stop() -> None:
    too_long = [
        f"{_name(path)}:{function.lineno} {function.name} has {_lines(function)} lines"
        for path in _python_files(*SOURCES)
        for function in _functions(path)
        if _lines(function) > FUNCTION_LINES
    ]
    assert not too_long


def test_no_function_takes_more_than_five_positional_parameters() -> None:
    too_many = [
        f"{_name(path)}:{function.lineno} {function.name}"
        for path in _python_files(*PRODUCT)
        for function in _functions(path)
        if len(function.args.posonlyargs) + len(function.args.args) > PARAMETERS + 1
    ]
    assert not too_many


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not [_name(path) for path in _python_files(*PRODUCT, "tests") if path.stem in NAMELESS]


def test_every_module_opens_with_a_docstring() -> None:
    silent = [
        _name(path)
        for path in _python_files(*PRODUCT, "hack")
        if ast.get_docstring(source.tree(path)) is None
    ]
    assert not silent


def test_handlers_stay_thin() -> None:
    thick = {
        _name(path): len(path.read_text().splitlines())
        for path in (REPOSITORY / "controllers").rglob("handlers.py")
    }
    assert not {name: lines for name, lines in thick.items() if lines > 80}
