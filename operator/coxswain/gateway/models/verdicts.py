"""The gateway's word on each Agent's models; the operator shows it as ModelReady.

Judged when the Agent changes, again and again while it is not ready, and when a call is refused.

Several replicas may judge at once: a verdict that says nothing new is not written.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from coxswain.api.agent import ModelChoice
from coxswain.api.contract import ModelRoute
from coxswain.api.kind import Agent
from coxswain.errors import CoxswainError, TransientError, UserError
from coxswain.gateway.models.destinations import Destinations, RefusedError
from coxswain.store.verdicts import Unsettled, Verdict
from coxswain.telemetry import logs, metrics

READY = "Ready"
NO_MODELS = "NoModels"
INVALID = "Invalid"

log = logs.get(__name__)


class Records(Protocol):
    """What the judging needs of the store."""

    async def unsettled(self) -> Sequence[Unsettled]:
        """Agents that must be judged."""
        ...

    async def one(self, agent_uid: str) -> Unsettled | None:
        """One Agent, settled or not; None if it is gone."""
        ...

    async def put(self, verdict: Verdict) -> None:
        """Keep a verdict and wake the operator if it says something new."""
        ...


def routes(models: Sequence[ModelChoice]) -> list[ModelRoute]:
    """The models of a spec as a run would have them."""
    return [
        ModelRoute(
            alias=each.alias,
            provider=each.provider,
            model=each.model,
            base_url=each.base_url,
            secret_name=each.credentials.name if each.credentials is not None else None,
        )
        for each in models
    ]


async def judge(destinations: Destinations, agent: Unsettled) -> Verdict:
    """Look at every model of an Agent; the first that cannot be called decides.

    Raises TransientError where nobody can say now.
    """
    try:
        models = _models(agent.body)
        destinations.check_chain(models)
        for route in models:
            await destinations.find(agent.workspace, route)
    except RefusedError as error:
        return _verdict(agent, error.reason, error.message, ready=False)
    except TransientError:
        raise
    except UserError as error:
        return _verdict(agent, INVALID, error.message, ready=False)
    if not models:
        return _verdict(agent, NO_MODELS, "it has no models; it can run commands", ready=True)
    return _verdict(agent, READY, "all models can be called", ready=True)


class Judge:
    """One for the process; ``run`` is its task."""

    def __init__(
        self,
        destinations: Destinations,
        records: Records,
        *,
        poll_seconds: float,
        recheck_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._destinations = destinations
        self._records = records
        self._poll_seconds = poll_seconds
        self._recheck_seconds = recheck_seconds
        self._clock = clock
        self._judged: dict[str, tuple[int, float]] = {}
        self._doubtful: set[str] = set()

    def doubt(self, agent_uid: str) -> None:
        """A call of this Agent was refused: judge it again soon, whatever stands."""
        self._doubtful.add(agent_uid)

    async def run(self) -> None:
        """Judge what is due, again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except CoxswainError as error:
                log.warning("Agents cannot be judged now", reason=error.code)
            await asyncio.sleep(self._poll_seconds)

    async def look(self) -> None:
        """One round."""
        doubtful, self._doubtful = self._doubtful, set()
        for uid in doubtful:
            await self._settle(await self._records.one(uid))
        found = await self._records.unsettled()
        for agent in found:
            if self._is_due(agent):
                await self._settle(agent)
        living = {agent.agent_uid for agent in found}
        self._judged = {uid: at for uid, at in self._judged.items() if uid in living}

    def _is_due(self, agent: Unsettled) -> bool:
        generation, at = self._judged.get(agent.agent_uid, (-1, 0.0))
        return generation != agent.generation or self._clock() - at >= self._recheck_seconds

    async def _settle(self, agent: Unsettled | None) -> None:
        if agent is None:
            return
        verdict = await judge(self._destinations, agent)
        self._judged[agent.agent_uid] = (agent.generation, self._clock())
        metrics.VERDICT_CHECKS.labels(verdict.reason).inc()
        await self._records.put(verdict)


def _models(body: Mapping[str, Any]) -> list[ModelRoute]:
    return routes(Agent.recorded(body).spec.models)


def _verdict(agent: Unsettled, reason: str, message: str, *, ready: bool) -> Verdict:
    return Verdict(
        agent_uid=agent.agent_uid,
        workspace=agent.workspace,
        agent_name=agent.agent_name,
        generation=agent.generation,
        ready=ready,
        reason=reason,
        message=message,
    )
