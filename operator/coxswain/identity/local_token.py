"""The one token of people where nobody signs in: made once, mounted as a file.

Read at each use, so that a new one counts at once. Without a file nobody gets in this way.
"""

import hmac
from pathlib import Path

from coxswain.identity.users import Granted, User
from coxswain.rules.permissions import Grant, Role

SHORTEST = 16
NAME = "local"


class LocalToken:
    """A file with the token. Who has it may do everything."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def find(self, token: str) -> User | None:
        """The local user, if this is the token. An empty or very short file matches nothing."""
        try:
            known = self._file.read_text().strip()
        except OSError:
            return None
        if len(known) < SHORTEST or not hmac.compare_digest(known.encode(), token.encode()):
            return None
        return User(NAME, Granted((Grant(Role.ADMIN),)))
