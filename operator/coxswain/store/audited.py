"""A store that writes a row of the audit log in the transaction that it is about.

along = Along(entry)
with audited.along(along):
    await handler()          # its first transaction carries the row, or rolls it back with itself
along.is_kept                # False: nothing was changed
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from typing_extensions import override

from coxswain.api.audit import AuditEntry, Outcome
from coxswain.store import audit
from coxswain.store.pool import Connection, Store

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Along:
    """A row on its way, and whether it has been committed."""

    entry: AuditEntry
    is_kept: bool = False


_current: ContextVar[Along | None] = ContextVar("audit_along", default=None)


@contextmanager
def along(row: Along) -> Iterator[None]:
    """Have the next transaction of this task write the row."""
    token = _current.set(row)
    try:
        yield
    finally:
        _current.reset(token)


class AuditedStore(Store):
    """The store of a process whose requests are recorded."""

    @override
    async def transact(
        self,
        operation: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As every store does; with the row that goes along, if there is one and it is not kept."""
        row = _current.get()
        if row is None or row.is_kept:
            return await super().transact(operation, *args, **kwargs)

        async def both(connection: Connection) -> T:
            # First: an operation may end with a lock that others wait for.
            await audit.write(connection, row.entry)
            return await operation(connection, *args, **kwargs)

        answer = await super().transact(both)
        row.is_kept = True
        return answer

    async def announce(self) -> None:
        """Write the row that goes along, if it is not kept: what comes next changes something elsewhere."""
        row = _current.get()
        if row is None:
            return
        if row.entry.outcome is not Outcome.BEGUN:
            raise AssertionError(f"{row.entry.action} has one row: it may change records alone")
        if not row.is_kept:
            await self.run(audit.write, row.entry)
            row.is_kept = True
