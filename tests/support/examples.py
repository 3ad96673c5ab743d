"""The samples under docs/examples, as objects."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "examples"
KINDS = {"Agent", "Job", "Lease", "Schedule"}

Body = dict[str, Any]


def files() -> list[Path]:
    """Every sample file."""
    return sorted(FOLDER.glob("*/*.yaml"))


def objects(path: Path) -> list[Body]:
    """The objects in a file."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def of_ours() -> list[Body]:
    """Every Agent, Job, Lease and Schedule of the samples."""
    return [each for path in files() for each in objects(path) if each["kind"] in KINDS]
