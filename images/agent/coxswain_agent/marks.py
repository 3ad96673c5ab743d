"""What the door has to know of itself when it was killed and is started again in the same pod.

Its folder lives as long as the pod, and no other container mounts it.
"""

from datetime import datetime
from pathlib import Path

PREPARED, BEGAN = "prepared", "began"


class Marks:
    """Two marks: all is ready for the program, and when the program began."""

    def __init__(self, folder: Path) -> None:
        self._prepared = folder / PREPARED
        self._began = folder / BEGAN

    @property
    def is_prepared(self) -> bool:
        """Whether the program may have begun: nothing may be laid out again."""
        return self._prepared.exists()

    def prepare(self) -> None:
        """Mark it; from now on the program may begin."""
        self._prepared.touch()

    @property
    def began_at(self) -> datetime | None:
        """When the program began, by the platform's clock; None where that is not known."""
        try:
            return datetime.fromisoformat(self._began.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def begin(self, at: datetime) -> datetime:
        """Mark when it began, once; returns what stands."""
        standing = self.began_at
        if standing is None:
            self._began.write_text(at.isoformat())
        return standing or at
