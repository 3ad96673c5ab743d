"""Writing to Postgres as the leader of one epoch, and whether Postgres answers."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import CoxswainError, FencedError, UnavailableError
from coxswain.store import failures, leadership, schema
from coxswain.store.pool import Connection, Store

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")


class Fence:
    """Every write of the leader goes through here; a former leader's is refused."""

    def __init__(self, store: Store, holder: str) -> None:
        self.store = store
        self._holder = holder
        self._epoch = 0
        self._is_taken = False
        self._error: str | None = "Postgres was not asked yet"

    def begin(self, epoch: int) -> None:
        """Lead with that epoch from now on; the database is told by ``take``."""
        self._epoch = epoch
        self._is_taken = False

    async def take(self) -> int:
        """Claim the epoch in the database; returns the standing one if ours is not newer.

        Where a former leader keeps it from us, its sessions are ended and the error is raised. A
        schema of an earlier version is left alone until it has come to ours: UnavailableError.
        """
        try:
            await self.store.run(schema.require)
            await self.store.transact(leadership.take, self._epoch, self._holder)
        except FencedError:
            return (await self.store.run(leadership.current)).epoch
        except UnavailableError as error:
            if error.code == failures.COLLIDED:
                ended = await self.store.run(leadership.end_former)
                log.warning("a former leader kept the epoch", sessions_ended=ended)
            self._error = error.message
            raise
        self._is_taken = True
        return 0

    @property
    def is_taken(self) -> bool:
        """Whether the database knows us as the leader."""
        return self._is_taken

    def condition(self) -> Seen:
        """The condition RecordsAvailable as it is now."""
        if self._error is None:
            return Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
        return Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", self._error)

    async def write(
        self,
        operation: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call an operation in a transaction that checks the epoch. Raises FencedError."""
        if not self._is_taken:
            raise UnavailableError(self._error or "this leader is not yet known to the database")
        answer = await leadership.fenced(self.store, self._epoch, operation, *args, **kwargs)
        self._error = None
        return answer

    async def check(self) -> None:
        """Ask Postgres whether it answers, for the condition. Raises nothing but FencedError."""
        try:
            await self.write(leadership.current)
        except FencedError:
            raise
        except CoxswainError as error:
            self.note(error)

    def note(self, error: CoxswainError) -> None:
        """Postgres did not answer."""
        if self._error is None:
            log.warning("records unavailable", error=error.message, code=error.code)
        self._error = error.message
