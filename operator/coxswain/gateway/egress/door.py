"""One connection of an agent, from its request to its end.

In this order: who asks, whether the Agent lists it, whether the run has bytes left, whether its address
may be reached, whether TLS asks for the same name, the log; only then the first byte goes out.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from coxswain.api.event_types.door import ConnectionClosed, ConnectionOpened
from coxswain.errors import CoxswainError, ForbiddenError, UserError
from coxswain.gateway.egress import answers, asking, hello, relay
from coxswain.gateway.egress.allowance import Allowance, Allowances
from coxswain.gateway.egress.asking import Asked
from coxswain.gateway.egress.journal import Journal
from coxswain.gateway.egress.places import Places, Turns
from coxswain.gateway.egress.relay import Bounds, Counts, Streams
from coxswain.gateway.egress.tunnels import Tunnel, Tunnels
from coxswain.identity.callers import AgentCaller
from coxswain.rules import egress
from coxswain.telemetry import logs, metrics
from coxswain.web import request_ids

HEAD_SECONDS = 10.0
CLOSE_SECONDS = 5.0
NOT_LISTED = "host_not_listed"

log = logs.get(__name__)


Admit: TypeAlias = Callable[[Asked], Awaitable[AgentCaller]]


class Dial(Protocol):
    """What the dialer can."""

    async def open(self, host: str, port: int) -> Streams:
        """A connection to a host."""
        ...


@dataclass
class _Agent:
    """The agent's end of a connection. ``stands``: the tunnel was granted, so HTTP is over."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    stands: bool = False

    @property
    def peer(self) -> str:
        return str((self.writer.get_extra_info("peername") or ["unknown"])[0])

    @property
    def streams(self) -> Streams:
        return self.reader, self.writer


@dataclass(frozen=True)
class Door:
    """Serves connections; what it needs is passed in."""

    admit: Admit
    dialer: Dial
    journal: Journal
    tunnels: Tunnels
    everybody: Places
    """By peer, before anybody is known."""
    runs: Places
    """By run."""
    dials: Turns
    """By run: names that nobody answers for hold up their own run, and no other."""
    bounds: Bounds
    allowances: Allowances
    """Bytes by run."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end; nothing is raised but the end of the process."""
        agent = _Agent(reader, writer)
        with request_ids.bound(None):
            try:
                with self.everybody.taken(agent.peer):
                    await self._serve(agent)
            except CoxswainError as error:
                _refuse(agent, error)
            except OSError:
                metrics.EGRESS_CONNECTIONS.labels(relay.BROKEN).inc()
            except Exception:
                # The edge of the process: one connection must not end the others.
                log.exception("a connection crashed")
            finally:
                await _close(writer)

    async def _serve(self, agent: _Agent) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                asked = await asking.read(agent.reader)
        except TimeoutError as error:
            raise UserError("no request came in time", code=asking.BAD_REQUEST) from error
        if asked is None:
            return
        caller = await self.admit(asked)
        try:
            with self.runs.taken(caller.pod.uid):
                await self._connect(caller, asked, agent)
        except CoxswainError as error:
            await self.journal.refused(caller.run, asked, error)
            raise

    async def _connect(self, caller: AgentCaller, asked: Asked, agent: _Agent) -> None:
        host = await self._reach(caller, asked)
        try:
            await self._tunnel(caller, asked, agent, host)
        finally:
            await _close(host[1])

    async def _reach(self, caller: AgentCaller, asked: Asked) -> Streams:
        if not egress.is_listed(caller.run.document.egress, asked.host, asked.port):
            raise ForbiddenError(
                f"{asked.host}:{asked.port} is not in the Agent's spec.sandbox.egress.hosts",
                code=NOT_LISTED,
            )
        await self.allowances.of(caller.run).require()
        async with self.dials.taken(caller.pod.uid):
            return await self.dialer.open(asked.host, asked.port)

    async def _tunnel(
        self, caller: AgentCaller, asked: Asked, agent: _Agent, host: Streams
    ) -> None:
        agent.writer.write(answers.ESTABLISHED)
        agent.stands = True
        await agent.writer.drain()
        data, said = await hello.read(agent.reader, asked)
        allowance = self.allowances.of(caller.run)
        await allowance.take(len(data))
        opened = ConnectionOpened(
            host=asked.host,
            port=asked.port,
            address=host[1].get_extra_info("peername")[0],
            # Another name may be hidden in it; the host has its say then, and the log tells.
            encrypted_hello=said.is_encrypted or None,
        )
        connection = await self.journal.opened(caller.run, opened)
        started, counts = time.monotonic(), Counts(sent=len(data))
        host[1].write(data)
        outcome = await self._relay(caller.pod.uid, agent, host, counts, allowance)
        metrics.EGRESS_CONNECTIONS.labels(outcome).inc()
        metrics.EGRESS_BYTES.labels("sent").inc(counts.sent)
        metrics.EGRESS_BYTES.labels("received").inc(counts.received)
        closed = ConnectionClosed(
            host=asked.host,
            port=asked.port,
            sent=counts.sent,
            received=counts.received,
            connection=connection,
            outcome=outcome,
            milliseconds=int((time.monotonic() - started) * 1000),
        )
        await self.journal.closed(caller.run, closed)

    async def _relay(
        self, pod_uid: str, agent: _Agent, host: Streams, counts: Counts, allowance: Allowance
    ) -> str:
        take = allowance.take_patiently
        task = asyncio.ensure_future(relay.run(agent.streams, host, counts, self.bounds, take=take))
        tunnel = Tunnel(pod_uid, task)
        with self.tunnels.standing(tunnel):
            try:
                outcome = await task
            except asyncio.CancelledError:
                if tunnel.cut is None:
                    raise
                outcome = tunnel.cut
        if outcome in (tunnel.cut, relay.USED_UP):
            # Half an answer must not look like a whole one.
            agent.writer.transport.abort()
        return outcome


def _refuse(agent: _Agent, error: CoxswainError) -> None:
    """Say why not: in HTTP, or once the tunnel stands with an alert of TLS."""
    metrics.EGRESS_CONNECTIONS.labels(error.code).inc()
    log.info("a connection was refused", security=True, code=error.code, reason=error.message)
    if answers.status_of(error) >= answers.INTERNAL:
        log.warning("a connection failed", code=error.code, reason=error.message)
    agent.writer.write(answers.alert(error) if agent.stands else answers.refusal(error))


async def _close(writer: asyncio.StreamWriter) -> None:
    """Send what is left, and close; a peer that takes nothing is left alone."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
