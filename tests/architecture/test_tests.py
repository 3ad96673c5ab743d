"""How tests are written: nothing patched, no sleeps, packages at every level."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support import source

TESTS = Path(__file__).resolve().parents[1]
# Each ends a wait by the clock or puts a stranger in somebody's place.
FORBIDDEN = {"mock.patch", "monkeypatch.setattr", "time.sleep"}
LAST_WORDS = {word.rpartition(".")[2] for word in FORBIDDEN}
# Programs that a test runs inside a pod: they are no tests.
INSIDE = TESTS / "support" / "inside"


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
