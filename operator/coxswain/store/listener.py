"""One listening connection per process: turns notifications of Postgres into wake-ups, or hands on what they say.

Whoever subscribes learns that something came, never what; after each reconnect everybody is woken, as
something may have been missed. Whoever hears gets each notification's text; what came while nobody
listened, or faster than it is taken, is lost. It never ends by itself.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import asyncpg

from coxswain.errors import CoxswainError, UnavailableError
from coxswain.store import failures
from coxswain.store.pool import CONNECT_SECONDS, Connection, Store
from coxswain.telemetry import logs

if TYPE_CHECKING:
    Session = asyncpg.Connection[asyncpg.Record]

log = logs.get(__name__)

CHECK_SECONDS = 15.0
CHECK_TIMEOUT_SECONDS = 5.0
WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0
UNHEARD = 1000


async def notify(connection: Connection, channel: str, text: str = "") -> None:
    """Wake whoever listens; ``text`` has less than 8000 bytes."""
    await connection.execute("SELECT pg_notify($1, $2)", channel, text)


class Listener:
    """Wakes whoever subscribed to a channel. ``name`` is what the database's own lists show."""

    def __init__(self, dsn: str, channels: Sequence[str], name: str = "coxswain-listener") -> None:
        self._dsn = dsn
        self._name = name
        # Nobody else speaks on it: what comes back is what this process said.
        self._echo = f"coxswain_echo_{secrets.token_hex(8)}"
        heard = (*channels, self._echo)
        self._subscribers: dict[str, set[asyncio.Event]] = {channel: set() for channel in heard}
        self._hearers: dict[str, set[asyncio.Queue[str]]] = {channel: set() for channel in heard}
        self._lost = asyncio.Event()
        self.connected = False

    @contextmanager
    def subscribe(self, channel: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the channel speaks; whoever waits clears it first."""
        wake = asyncio.Event()
        self._subscribers[channel].add(wake)
        try:
            yield wake
        finally:
            self._subscribers[channel].discard(wake)

    @contextmanager
    def hear(self, channel: str) -> Iterator["asyncio.Queue[str]"]:
        """A queue of what the channel says; at most UNHEARD wait in it, what comes then is lost."""
        said = asyncio.Queue[str](UNHEARD)
        self._hearers[channel].add(said)
        try:
            yield said
        finally:
            self._hearers[channel].discard(said)

    async def until_listening(self) -> None:
        """Return once it hears what is said from now on."""
        with self.subscribe(self._echo) as woken:
            while not self.connected:
                woken.clear()
                await woken.wait()

    async def check(self, store: Store) -> None:
        """Return once a notification of ours has come back; whoever calls sets a bound in time.

        Raises UnavailableError while nobody listens, or the database does not answer.
        """
        if not self.connected:
            raise UnavailableError("the listening connection is lost", code=failures.LOST)
        with self.subscribe(self._echo) as heard:
            await store.run(notify, self._echo)
            await heard.wait()

    async def run(self) -> None:
        """Listen for ever; connects anew whenever the connection is lost."""
        wait = WAIT_SECONDS
        while True:
            try:
                async with self._listening() as session:
                    wait = WAIT_SECONDS
                    await self._until_lost(session)
            except CoxswainError as error:
                log.warning("the listening connection is lost", code=error.code)
            finally:
                self.connected = False
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator["Session"]:
        with failures.translated():
            named = {"application_name": self._name}
            session = await asyncpg.connect(
                self._dsn, timeout=CONNECT_SECONDS, server_settings=named
            )
            try:
                self._lost.clear()
                session.add_termination_listener(self._on_lost)
                for channel in self._subscribers:
                    await session.add_listener(channel, self._on_notice)
                self.connected = True
                self._wake_all()
                yield session
            finally:
                session.terminate()

    async def _until_lost(self, session: "Session") -> None:
        """Return when the connection is gone; a peer that fell silent is asked now and then."""
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._lost.wait()
            except TimeoutError:
                await session.execute("SELECT 1", timeout=CHECK_TIMEOUT_SECONDS)

    def _on_lost(self, _session: object) -> None:
        self._lost.set()

    def _on_notice(self, _session: object, _pid: int, channel: str, payload: object) -> None:
        for wake in self._subscribers[channel]:
            wake.set()
        for said in self._hearers[channel]:
            with suppress(asyncio.QueueFull):
                said.put_nowait(str(payload))

    def _wake_all(self) -> None:
        for channel in self._subscribers:
            for wake in self._subscribers[channel]:
                wake.set()
