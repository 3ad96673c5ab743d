"""The sender of callbacks beside a test's own receivers: real outbox, real connections, own names."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from coxswain import names
from coxswain.api.deliveries import Delivery, DeliveryState
from coxswain.errors import NotFoundError
from coxswain.gateway.callbacks import assembly
from coxswain.gateway.callbacks.posting import Poster
from coxswain.gateway.callbacks.sending import Outbox, Sender
from coxswain.gateway.keyring import Keyring
from coxswain.gateway.outbound.dialing import Dialer, Resolve
from coxswain.rules import addresses
from coxswain.rules.redelivery import Limits
from coxswain.settings import CallbackSettings
from coxswain.store import deliveries, events, outbox
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from tests.support import ended

LIMITS = Limits(tries=4, first_wait_seconds=0.01, longest_wait_seconds=0.1, total_seconds=60)
NEW_KEY = "whsec_" + base64.b64encode(b"n" * 32).decode()
OLD_KEY = "whsec_" + base64.b64encode(b"o" * 32).decode()
ENDED = (DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.SKIPPED)


async def loopback(_host: str, _port: int) -> list[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


@dataclass
class Office:
    """What a test says of an installation, and what it asks of the outbox."""

    operator: Store
    gateway: Store
    domains: list[str] = field(default_factory=lambda: ["*.test"])
    origins: list[str] = field(default_factory=list)
    limits: Limits = LIMITS
    is_signing: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    resolve: Resolve = loopback
    tls: ssl.SSLContext | None = None
    seconds: float = 2.0
    per_host: int = 4
    workspace: str = "team"

    async def read_object(self, path: str) -> dict[str, Any]:
        """A Secret, as the API server gives it by name."""
        if path not in self.secrets:
            raise NotFoundError("no such Secret")
        return self.secrets[path]

    def has_secret(self, name: str, kind: str = "coxswain.dev/signing", **data: str) -> None:
        """Put a Secret into the workspace."""
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        self.secrets[f"/api/v1/namespaces/team/secrets/{name}"] = {"type": kind, "data": encoded}

    async def owes(self, url: str, name: str = "read", signing: str | None = None) -> UUID:
        """A Job has ended, and somebody at this URL wants to know."""
        one = ended.delivery(name, url=url, signing=signing)
        await self.operator.transact(deliveries.owe, [one])
        return one.id

    @asynccontextmanager
    async def sender(self, through: Outbox | None = None) -> AsyncIterator[Sender]:
        """What tries one claimed delivery."""
        given = CallbackSettings(
            callbacks_allowed_domains=self.domains,
            callbacks_origins=self.origins,
            callbacks_signing=self.is_signing,
            **self.settings,
        )
        rules = replace(assembly.rules_of(given), limits=self.limits)
        public = Dialer(resolve=self.resolve)
        listed = Dialer(addresses.ANYWHERE, resolve=self.resolve)
        poster = Poster(public, listed, seconds=self.seconds, tls=self.tls)
        box = through or assembly.StoredOutbox(self.gateway)
        try:
            keys = Keyring(self.read_object, names.SECRET_TYPE_SIGNING)
            yield Sender(box, keys, poster, rules)
        finally:
            await poster.close()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """A gateway works on the outbox for the length of a block."""
        async with self.sender() as sender:
            listener = Listener(self.gateway.dsn, [deliveries.CHANNEL])
            worker = assembly.worker(sender, self.gateway, listener, per_host=self.per_host)
            task, listening = (asyncio.create_task(each.run()) for each in (worker, listener))
            try:
                yield
            finally:
                for each in (task, listening):
                    each.cancel()
                await asyncio.gather(task, listening, return_exceptions=True)
            if not task.cancelled():
                task.result()

    async def state(self, delivery: UUID) -> Delivery:
        """A delivery as it is now."""
        found = await self.gateway.run(outbox.get, self.workspace, delivery)
        assert found is not None
        return found

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """What the block waits for must come in time."""
        async with asyncio.timeout(15):
            yield

    async def moment(self) -> None:
        """Let others go on."""
        await asyncio.sleep(0.02)

    async def ends(self, delivery: UUID) -> Delivery:
        """A delivery once it has ended."""
        async with asyncio.timeout(15):
            while (found := await self.state(delivery)).state not in ENDED:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found

    async def log(self, delivery: UUID) -> list[tuple[int, int | None, str]]:
        """Number, status and error of each try."""
        found = await self.gateway.run(outbox.tries, delivery)
        return [(each.number, each.status, each.error) for each in found]

    async def told(self) -> list[str]:
        """Types of the events of callbacks."""
        which = events.Filter(type="callback.")
        return [each.event.type for each in (await self.gateway.run(events.after, 0, which)).events]

    async def details(self) -> dict[str, Any]:
        """What the last of them says."""
        which = events.Filter(type="callback.")
        return (await self.gateway.run(events.after, 0, which)).events[-1].event.details
