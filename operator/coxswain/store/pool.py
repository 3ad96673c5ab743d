"""The way to Postgres: one pool per process, under one role, with short time limits.

Nothing connects before it is needed, so a process starts while the database is down. Every session
speaks UTC and ends a transaction that idles, so that a frozen writer stops nobody.
"""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Concatenate, ParamSpec, Self, TypeAlias, TypeVar

import asyncpg
import stamina

from coxswain.errors import TransientError, UnavailableError
from coxswain.store import failures
from coxswain.telemetry import metrics, pool_metrics

Connection: TypeAlias = (
    "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
)

CONNECT_SECONDS = 5.0
ACQUIRE_SECONDS = 5.0
COMMAND_SECONDS = 10.0
ATTEMPTS = 4
REPEAT_SECONDS = 5.0
SESSION = {
    "timezone": "UTC",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "5s",
}

TRANSACTION_SECONDS = 15.0
# The first server that ends a transaction by its age, whatever its session is at.
ENDS_TRANSACTIONS = 17

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Postgres, as the rest of the program sees it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", dsn: str) -> None:
        self._pool = pool
        self.dsn = dsn

    @classmethod
    async def open(cls, dsn: str, *, connections: int, name: str) -> Self:
        """Make the pool; ``name`` is what the database's own lists show. Connects to nothing yet."""
        with failures.translated():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,
                max_size=connections,
                timeout=CONNECT_SECONDS,
                command_timeout=COMMAND_SECONDS,
                server_settings={**SESSION, "application_name": name},
                init=prepare,
                reset=_as_it_is,
                record_class=asyncpg.Record,
            )
        pool_metrics.STORE_MOST.set(connections)
        return cls(pool, dsn)

    async def close(self) -> None:
        """Close all connections, also those in use."""
        self._pool.terminate()
        with failures.translated():
            await self._pool.close()

    async def run(
        self,
        operation: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call an operation of one statement; again if the connection was lost.

        Only for operations whose repeat is harmless. All of ours are.
        """
        with _measured():
            async for attempt in _attempts():
                with attempt:
                    async with self._connection() as connection:
                        return await operation(connection, *args, **kwargs)
            raise AssertionError("the last attempt raises")

    async def transact(
        self,
        operation: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call an operation of several statements in one transaction; repeats like ``run``."""
        with _measured():
            async for attempt in _attempts():
                with attempt:
                    async with self._connection() as connection, connection.transaction():
                        return await operation(connection, *args, **kwargs)
            raise AssertionError("the last attempt raises")

    async def ping(self) -> None:
        """Raise UnavailableError unless the database answers, and takes writes."""
        async with self._connection() as connection:
            read_only = await connection.fetchval("SELECT current_setting('transaction_read_only')")
        if read_only != "off":
            raise UnavailableError("the database takes no writes now", code=failures.NOT_READY)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        asked = time.perf_counter()
        with failures.translated():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                pool_metrics.STORE_WAIT_SECONDS.observe(time.perf_counter() - asked)
                with pool_metrics.STORE_IN_USE.track_inprogress():
                    yield connection


async def prepare(connection: Connection) -> None:
    """Set up a new session: JSON as Python values, and no transaction without an end."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=encode, decoder=json.loads, schema="pg_catalog"
        )
    if connection.get_server_version().major >= ENDS_TRANSACTIONS:
        await connection.execute(f"SET transaction_timeout = '{TRANSACTION_SECONDS:g}s'")


async def _as_it_is(_connection: Connection) -> None:
    """Reset nothing between two operations: ours change nothing of a session.

    The driver's own reset would cost each of them a round trip; it still ends open transactions.
    """


def encode(value: object) -> str:
    """The JSON text of a value. Not a number and infinity pass here and the database refuses them."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@contextmanager
def _measured() -> Iterator[None]:
    """Time an operation; one that fails although it was wanted rightly is counted."""
    began = time.perf_counter()
    try:
        yield
    except TransientError as error:
        pool_metrics.STORE_FAILURES.labels(error.code).inc()
        raise
    finally:
        pool_metrics.STORE_SECONDS.observe(time.perf_counter() - began)


def _attempts() -> AsyncIterator[stamina.Attempt]:
    return aiter(
        stamina.retry_context(
            on=_is_passing,
            attempts=ATTEMPTS,
            timeout=REPEAT_SECONDS,
            wait_initial=0.05,
            wait_max=1.0,
        )
    )


def _is_passing(error: Exception) -> bool:
    if not failures.is_passing(error):
        return False
    metrics.STORE_RETRIES.inc()
    return True
