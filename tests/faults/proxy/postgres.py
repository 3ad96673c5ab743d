"""The proxy between one replica and Postgres: knows where a transaction that changes rows commits."""

import asyncio
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from tests.faults.director import Director
from tests.faults.plan import SERVERS, Deed, Fault
from tests.faults.proxy.hands import Hands
from tests.faults.proxy.messages import Framer, Session
from tests.faults.proxy.seen import Committed, Trace
from tests.support.cutting import Copying, Cutter, Ends, read

WORDS = 120


class PostgresProxy(Cutter):
    """Passes every message on, but where a fault is due."""

    def __init__(self, target: Path, director: Director, trace: Trace, hands: Hands) -> None:
        """``target`` is the socket of the server."""
        super().__init__(target)
        self._director = director
        self._trace = trace
        self._hands = hands

    @override
    def ways(self, client: Ends, server: Ends) -> tuple[Copying, Copying]:
        one = _Conversation(self._director, self._trace, self._hands)
        return one.ask(client[0], server[1]), one.answer(server[0], client[1])


class _Conversation:
    """One connection."""

    def __init__(self, director: Director, trace: Trace, hands: Hands) -> None:
        self._director = director
        self._trace = trace
        self._hands = hands
        self._session = Session()
        self._after: Fault | None = None
        """What is to happen once the server has done what it was asked last."""

    async def ask(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        """From the replica to the server, until a fault cuts it."""
        framer = Framer(begins_untagged=True)
        with suppress(ConnectionError):
            while data := await read(client):
                for message in framer.feed(data):
                    sql = self._session.asks(message)
                    if sql is not None and not await self._commits(sql):
                        return
                    server.write(message.raw)
                await server.drain()

    async def answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """From the server to the replica. What answers a commit that is to be lost is held back."""
        framer = Framer(begins_untagged=False)
        held = b""
        with suppress(ConnectionError):
            while data := await read(server):
                for message in framer.feed(data):
                    held += message.raw
                    is_end = self._session.answers(message)
                    if self._after is not None and not is_end:
                        continue
                    if self._after is not None and not await self._goes_on(self._after):
                        return
                    self._after = None if is_end else self._after
                    client.write(held)
                    held = b""
                await client.drain()

    async def _commits(self, sql: str) -> bool:
        """Changes are about to last; whether they may."""
        short = " ".join(sql.split())[:WORDS]
        self._trace.commits.append(Committed(self._trace.now(), self._hands.name, short))
        fault = self._director.on_commit(self._hands.name, sql)
        if fault is None:
            return True
        if fault.when == "after":
            self._after = fault
            return True
        return await self._goes_on(fault)

    async def _goes_on(self, fault: Fault) -> bool:
        match fault.do:
            case Deed.KILL:
                self._hands.kill()
                return False
            case Deed.FREEZE:
                self._hands.freeze(fault.seconds or 0.0)
            case Deed.DELAY:
                await asyncio.sleep(fault.seconds or 0.0)
            case Deed.LOSE:
                return False
            case Deed.KILL_APISERVER | Deed.KILL_ETCD:
                self._hands.kill_server(SERVERS[fault.do], fault.seconds or 0.0)
            case Deed.AWAY:
                self._hands.cut_off(fault.seconds or 0.0)
                return False
            case _:
                raise ValueError(f"{fault.do} is not for commits")
        return True
