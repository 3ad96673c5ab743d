"""The benches by name: tests/bench/test_NAME.py, or test_NAME_*.py where one has several files."""

from pathlib import Path

from devtools import places
from devtools.errors import ToolError

FOLDER = places.REPOSITORY / "tests" / "bench"
PREFIX = "test_"


def names(folder: Path = FOLDER) -> list[str]:
    """Every name that can be asked for."""
    return sorted({path.stem.removeprefix(PREFIX).split("_")[0] for path in _all(folder)})


def files(asked: list[str], folder: Path = FOLDER) -> list[Path]:
    """The files of these benches, of all where none is named.

    Raises ToolError that names what is unknown, and what there is.
    """
    known = names(folder)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise ToolError(f"no bench {', '.join(unknown)}", f"benches: {', '.join(known)}")
    wanted = asked or known
    return [path for path in _all(folder) if path.stem.removeprefix(PREFIX).split("_")[0] in wanted]


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{PREFIX}*.py"))
