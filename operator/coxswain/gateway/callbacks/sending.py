"""One claimed delivery from its claim to what came of it: judged, signed, posted, settled.

What may not be sent is skipped, never sent in a lesser form. Whatever happens after the claim is
undone by nothing: a process that dies here leaves a row that comes due again.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from coxswain.api.deliveries import Claimed, DeliveryState, Outcome, Settled, Try
from coxswain.api.event_types.callback import CAME_TO, CallbackTold
from coxswain.api.records import Event
from coxswain.errors import TransientError
from coxswain.gateway.callbacks.posting import ADDRESS_REFUSED, Poster
from coxswain.gateway.keyring import Keyring, KeyUnusableError
from coxswain.rules import callbacks, redelivery, signing
from coxswain.rules.callbacks import Policy, Skip
from coxswain.rules.redelivery import Death, Limits
from coxswain.rules.signing import SigningKey
from coxswain.store import uuid7
from coxswain.telemetry import logs, metrics

ACTOR = "egress"
GIVE_BACK_SECONDS = 5.0
RETRY_SECONDS = 1.0
# Longer than a try and its settling may take, so a claim is never lost by one that is at work.
LEASE_SECONDS = 90.0
SETTLE_SECONDS = 45.0

log = logs.get(__name__)


@dataclass(frozen=True)
class Rules:
    """What the installation says: where to, how often, and how it is signed."""

    policy: Policy
    limits: Limits
    is_signing: bool = True
    secret: str = ""
    """Name of the Secret of Jobs that name none; empty where there is none."""


class Outbox(Protocol):
    """The outbox as one gateway uses it."""

    async def give_back(self, claimed: Claimed, wait_seconds: float) -> None:
        """Undo a claim."""
        ...

    async def settle(self, outcome: Outcome) -> bool:
        """Keep what came of a claim."""
        ...


class Sender:
    """One for the process; ``deliver`` is called for each claim."""

    def __init__(
        self,
        outbox: Outbox,
        keys: Keyring,
        poster: Poster,
        rules: Rules,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._keys = keys
        self._poster = poster
        self._rules = rules
        self._chance = chance

    async def deliver(self, claimed: Claimed) -> None:
        """Try once. Raises TransientError where what came of it could not be kept."""
        delivery, rules = claimed.delivery, self._rules
        refusal = callbacks.refusal(delivery.url, rules.policy)
        if refusal is not None:
            await self._skip(claimed, refusal, f"nothing may be sent to '{delivery.host}'")
            return
        if delivery.round_tries > rules.limits.tries:
            # Each of them was claimed by a gateway that died at it.
            await self._settle(claimed, Settled(DeliveryState.DEAD, Death.ATTEMPTS_EXHAUSTED))
            return
        try:
            keys = await self._signing_keys(claimed)
        except KeyUnusableError as error:
            reason = Skip.SECRET_MISSING if error.is_missing else Skip.SECRET_INVALID
            await self._skip(claimed, reason, error.message)
        except TransientError as error:
            log.warning("a signing key cannot be read now", reason=error.code)
            await self._outbox.give_back(claimed, GIVE_BACK_SECONDS)
        else:
            await self._try(claimed, keys)

    async def _signing_keys(self, claimed: Claimed) -> tuple[SigningKey, ...]:
        name = claimed.delivery.signing_secret or self._rules.secret
        if name and (claimed.delivery.signing_secret or self._rules.is_signing):
            return await self._keys.find(claimed.delivery.workspace, name, signing.read)
        if self._rules.is_signing:
            raise KeyUnusableError(
                "callbacks are signed here, and the Job names no Secret", is_missing=True
            )
        return ()

    async def _try(self, claimed: Claimed, keys: tuple[SigningKey, ...]) -> None:
        delivery, at, body = claimed.delivery, datetime.now(UTC), claimed.body.encode()
        headers = signing.headers(str(delivery.id), int(at.timestamp()), body, keys)
        is_listed = callbacks.is_listed(delivery.url, self._rules.policy)
        found = await self._poster.post(delivery.url, body, headers, is_listed=is_listed)
        metrics.CALLBACK_SECONDS.observe(found.milliseconds / 1000)
        if found.error == ADDRESS_REFUSED:
            text = f"'{delivery.host}' has an address that is not public"
            await self._skip(claimed, Skip.ADDRESS_NOT_ALLOWED, text)
            return
        settled = redelivery.judge(
            found.answer,
            self._rules.limits,
            tries=delivery.round_tries,
            waited_seconds=claimed.waited_seconds,
            chance=self._chance(),
        )
        tried = Try(delivery.tries, at, found.milliseconds, found.answer.status, found.error)
        await self._settle(claimed, settled, tried)

    async def _skip(self, claimed: Claimed, reason: Skip, message: str) -> None:
        delivery = claimed.delivery
        log.warning(
            "a callback is skipped",
            reason=reason,
            why=message,
            workspace=delivery.workspace,
            job=delivery.job_name,
            host=delivery.host,
        )
        await self._settle(claimed, Settled(DeliveryState.SKIPPED, reason), message=message)

    async def _settle(
        self, claimed: Claimed, found: Settled, tried: Try | None = None, message: str = ""
    ) -> None:
        """Keep what came of it, also when Postgres is away for a moment: a lost word is a repeat."""
        event = _event(claimed, found, tried, message)
        outcome = Outcome(claimed, found, tried, event)
        metrics.CALLBACKS.labels(event.type.removeprefix("callback.")).inc()
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while not await self._is_kept(outcome):  # noqa: ASYNC110
                    await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError:
            log.exception("what came of a callback is lost; it is sent again", id=str(event.id))

    async def _is_kept(self, outcome: Outcome) -> bool:
        try:
            await self._outbox.settle(outcome)
        except TransientError:
            return False
        return True


def _event(claimed: Claimed, found: Settled, tried: Try | None, message: str) -> Event:
    delivery, what = claimed.delivery, CAME_TO[found.state]
    told = CallbackTold(
        delivery=str(delivery.id),
        host=delivery.host,
        number=tried.number if tried is not None else None,
        status=tried.status if tried is not None else None,
        error=(tried.error or None) if tried is not None else None,
        reason=found.reason or None,
        message=message or None,
    )
    at = tried.at if tried is not None else datetime.now(UTC)
    return Event.of(
        what,
        told,
        id=uuid7.derived(at, delivery.id, delivery.tries, what.name),
        actor=ACTOR,
        workspace=delivery.workspace,
        name=delivery.job_name,
        uid=delivery.job_uid,
    )
