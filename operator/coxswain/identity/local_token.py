"""The one token of people while there is no single sign-on: made once, mounted as a file.

Read at each use, so that a new one counts at once. Without a file nobody gets in this way.
"""

import hmac
from pathlib import Path

SHORTEST = 16


class LocalToken:
    """A file with the token."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def matches(self, given: str) -> bool:
        """Whether this is the token. An empty or very short file matches nothing."""
        if self._file is None:
            return False
        try:
            token = self._file.read_text().strip()
        except OSError:
            return False
        return len(token) >= SHORTEST and hmac.compare_digest(token.encode(), given.encode())
