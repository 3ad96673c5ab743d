"""Leader election by compare-and-swap on a coordination lease.

Nobody's clock is trusted but our own monotonic one: another holder is judged by whether its record
changes. The lease's count of transitions is the epoch; every transaction of the leader checks it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from coxswain.errors import ConflictError, CoxswainError, NotFoundError, TransientError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.telemetry import metrics

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of an election; by default 15 s, 10 s, 2 s and half a second."""

    duration_seconds: int
    """How long a record must not change before another candidate takes over."""
    deadline_seconds: float
    """How long the leader goes on without a good renewal."""
    renew_seconds: float
    """Between two renewals."""
    look_seconds: float
    """Between two looks of a candidate: a lease that was let go is seen that soon."""

    @classmethod
    def of(cls, duration_seconds: int) -> "Pace":
        """All times from the first."""
        each = duration_seconds / 15
        return cls(duration_seconds, 10 * each, 2 * each, each / 2)


class LostError(CoxswainError):
    """Somebody else holds the lease, or it could not be renewed in time."""

    code = "leadership_lost"


@dataclass
class _Seen:
    """Another holder's record, and when it last changed by our own clock."""

    record: tuple[str, str, int]
    at: float


class Election:
    """One candidate. Call ``acquire``, then ``hold`` for as long as it leads, then ``release``."""

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        name: str,
        identity: str,
        former: str | None = None,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        """``former`` is the identity of a process that is dead for sure: its lease is not waited for."""
        self._client = client
        self._namespace = namespace
        self._name = name
        self._path = f"{paths.coordination_leases(namespace)}/{name}"
        self._identity = identity
        self._former = former
        self._pace = pace
        self._clock = clock
        self._held: dict[str, Any] | None = None
        self._seen: _Seen | None = None
        self.renewed_at = 0.0

    async def acquire(self, on_waiting: Callable[[], None] = lambda: None) -> int:
        """Wait until the lease is ours and return the epoch; ``on_waiting`` is called after each look in vain."""
        while True:
            began = self._clock()
            try:
                epoch = await self._try()
            except (ConflictError, TransientError) as error:
                log.debug("lease not taken", error=error.message)
                epoch = None
            if epoch is not None:
                self.renewed_at = began
                metrics.LEADER.set(1)
                log.info("leading", epoch=epoch, identity=self._identity)
                return epoch
            on_waiting()
            await asyncio.sleep(self._pace.look_seconds)

    async def hold(self, on_renewed: Callable[[float], None]) -> None:
        """Renew for ever; ``on_renewed`` gets the time at which each good renewal began.

        Raises LostError as soon as somebody else holds it; a missed deadline is the watchdog's.
        """
        on_renewed(self.renewed_at)
        while True:
            await asyncio.sleep(self._pace.renew_seconds)
            began = self._clock()
            try:
                # A request that hangs must not use up the time of all the others.
                async with asyncio.timeout(2 * self._pace.renew_seconds):
                    is_ours = await self._renew()
            except NotFoundError as error:
                raise LostError("the lease was deleted") from error
            except TimeoutError:
                log.warning("lease not renewed", error="no answer in time")
                continue
            except TransientError as error:
                log.warning("lease not renewed", error=error.message)
                continue
            if is_ours:
                self.renewed_at = began
                on_renewed(began)

    async def raise_epoch(self, beyond: int) -> int:
        """Move the epoch past one that the database knows, after the lease was made anew."""
        held = self._expect_held()
        spec = {**held["spec"], "leaseTransitions": beyond + 1, "renewTime": _now()}
        self._held = await self._client.replace(self._path, {**held, "spec": spec})
        return beyond + 1

    async def release(self) -> None:
        """Let go, so that a successor need not wait; a lost race is no harm."""
        metrics.LEADER.set(0)
        if self._held is None:
            return
        held = self._held
        spec = {**held["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            await self._client.replace(self._path, {**held, "spec": spec})
        except CoxswainError as error:
            log.warning("lease not released", error=error.message)
        self._held = None

    async def _try(self) -> int | None:
        try:
            found = await self._client.get(self._path)
        except NotFoundError:
            return await self._create()
        spec = found.get("spec") or {}
        holder = str(spec.get("holderIdentity") or "")
        if holder and not self._has_expired(holder, spec):
            return None
        epoch = int(spec.get("leaseTransitions") or 0) + 1
        body = {**found, "spec": self._spec(epoch)}
        self._held = await self._client.replace(self._path, body)
        return epoch

    async def _create(self) -> int:
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec(1),
        }
        self._held = await self._client.create(paths.coordination_leases(self._namespace), body)
        return 1

    async def _renew(self) -> bool:
        """Renew. False: the write was stale, but the lease is still ours (a lost answer)."""
        held = self._expect_held()
        spec = {**held["spec"], "renewTime": _now()}
        try:
            self._held = await self._client.replace(self._path, {**held, "spec": spec})
        except ConflictError as error:
            found = await self._client.get(self._path)
            if (found.get("spec") or {}).get("holderIdentity") != self._identity:
                raise LostError("another process holds the lease") from error
            self._held = found
            return False
        return True

    def _has_expired(self, holder: str, spec: dict[str, Any]) -> bool:
        if holder in (self._identity, self._former):
            return True
        record = (holder, str(spec.get("renewTime")), int(spec.get("leaseTransitions") or 0))
        now = self._clock()
        if self._seen is None or self._seen.record != record:
            self._seen = _Seen(record, now)
            return False
        duration = float(spec.get("leaseDurationSeconds") or self._pace.duration_seconds)
        return now - self._seen.at > duration

    def _spec(self, epoch: int) -> dict[str, Any]:
        now = _now()
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._pace.duration_seconds,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": epoch,
        }

    def _expect_held(self) -> dict[str, Any]:
        if self._held is None:
            raise LostError("the lease is not held")
        return self._held


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
