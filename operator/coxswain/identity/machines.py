"""Machines by their API keys, remembered for a moment: a burst of calls needs one look at Postgres.

So a key that was revoked, or whose time is over, opens nothing after REMEMBER_SECONDS at any replica.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from coxswain import names
from coxswain.errors import UnauthenticatedError
from coxswain.identity.users import Granted, User
from coxswain.rules import api_keys as rules
from coxswain.rules.permissions import Grant, Role
from coxswain.store import api_keys
from coxswain.store.api_keys import ApiKey
from coxswain.store.pool import Store

REMEMBER_SECONDS = 2.0
REMEMBER_KEYS = 1_000
INVALID = "key_invalid"
EXPIRED = "key_expired"
REVOKED = "key_revoked"


class Machines:
    """Looks up keys."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, User]] = OrderedDict()

    async def find(self, token: str) -> User | None:
        """The machine of this key; None where the token is none.

        Raises UnauthenticatedError key_invalid, key_revoked or key_expired.
        """
        if not token.startswith(rules.PREFIX):
            return None
        id_, secret_hash = rules.id_of(token), rules.hash_of(token)
        known = self._known.get(secret_hash)
        if known is not None and self._clock() < known[0]:
            return known[1]
        self._known.pop(secret_hash, None)
        # Before the look, so that what is remembered is never older than it says.
        asked_at = self._clock()
        found = None if id_ is None else await self._store.run(api_keys.use, id_, secret_hash)
        if found is None:
            raise UnauthenticatedError("there is no such key", code=INVALID)
        return self._remember(secret_hash, asked_at, found)

    def _remember(self, secret_hash: bytes, asked_at: float, found: ApiKey) -> User:
        if found.revoked_at is not None:
            raise UnauthenticatedError("this key was revoked", code=REVOKED)
        if found.has_expired:
            raise UnauthenticatedError("this key has expired", code=EXPIRED)
        left = REMEMBER_SECONDS
        if found.seconds_left is not None:
            left = min(left, found.seconds_left)
        user = _user(found)
        self._known[secret_hash] = (asked_at + left, user)
        if len(self._known) > REMEMBER_KEYS:
            self._known.popitem(last=False)
        return user


def _user(key: ApiKey) -> User:
    workspaces = None if key.workspaces is None else frozenset(key.workspaces)
    return User(
        name=f"{names.MACHINE}{key.name}",
        rights=Granted((Grant(Role(key.role), workspaces),)),
        is_machine=True,
        queues=None if key.queues is None else frozenset(key.queues),
    )
