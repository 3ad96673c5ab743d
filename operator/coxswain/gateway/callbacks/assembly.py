"""Puts the parts of the callbacks together; the egress gateway's process runs the worker."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from typing_extensions import override

from coxswain import names
from coxswain.api.deliveries import Claimed, Outcome
from coxswain.gateway.callbacks.posting import Poster
from coxswain.gateway.callbacks.sending import Outbox, Rules, Sender
from coxswain.gateway.callbacks.worker import Claims, Worker
from coxswain.gateway.keyring import Keyring, ReadObject
from coxswain.gateway.outbound.dialing import Dialer, Resolve
from coxswain.reconcile.batches import Batches
from coxswain.rules import addresses, callbacks
from coxswain.rules.redelivery import Limits
from coxswain.settings import CallbackSettings
from coxswain.store import deliveries
from coxswain.store.deliveries import Room
from coxswain.store.listener import Listener
from coxswain.store.pool import Store

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 14_400.0


class StoredOutbox(Claims, Outbox):
    """The outbox in Postgres. What comes of deliveries at the same time is kept together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outcomes: Batches[Outcome, bool] = Batches(self._settle)

    @override
    async def claim(self, room: Room, lease_seconds: float) -> Sequence[Claimed]:
        return await self._store.run(deliveries.claim, room, lease_seconds)

    @override
    async def give_back(self, claimed: Claimed, wait_seconds: float) -> None:
        await self._store.run(deliveries.give_back, claimed, wait_seconds)

    @override
    async def settle(self, outcome: Outcome) -> bool:
        return await self._outcomes.ask(outcome)

    async def _settle(self, batch: Sequence[Outcome]) -> list[bool]:
        return await self._store.transact(deliveries.settle, batch)


@asynccontextmanager
async def opened(
    given: CallbackSettings,
    store: Store,
    read_object: ReadObject,
    listener: Listener,
    policy: addresses.Policy = addresses.PUBLIC,
    resolve: Resolve | None = None,
) -> AsyncIterator[Worker]:
    """The worker, whose ``run`` is to be a task of the process, for the length of a block.

    ``listener``, which the process runs, hears of the outbox. ``policy`` says which addresses are public; a
    listed origin may be at any.
    """
    public = Dialer(policy, resolve=resolve)
    listed = Dialer(addresses.ANYWHERE, resolve=resolve)
    poster = Poster(public, listed, seconds=given.callbacks_timeout_seconds)
    keys = Keyring(read_object, names.SECRET_TYPE_SIGNING)
    sender = Sender(StoredOutbox(store), keys, poster, rules_of(given))
    try:
        yield worker(sender, store, listener, per_host=given.callbacks_per_host)
    finally:
        await poster.close()


def worker(sender: Sender, store: Store, listener: Listener, *, per_host: int) -> Worker:
    """One that takes from the outbox in Postgres."""
    return Worker(StoredOutbox(store), sender, listener, per_host=per_host)


def rules_of(given: CallbackSettings) -> Rules:
    """The settings as rules."""
    policy = callbacks.policy(
        enabled=given.callbacks_enabled,
        domains=given.callbacks_allowed_domains,
        origins=given.callbacks_origins,
    )
    limits = Limits(
        tries=given.callbacks_tries,
        first_wait_seconds=FIRST_WAIT_SECONDS,
        longest_wait_seconds=LONGEST_WAIT_SECONDS,
        total_seconds=given.callbacks_total_seconds,
    )
    return Rules(policy, limits, given.callbacks_signing, given.callbacks_signing_secret)
