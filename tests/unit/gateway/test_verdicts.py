"""When Agents are judged, and what is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from coxswain.errors import NotFoundError, UnavailableError
from coxswain.gateway.models.destinations import Destinations
from coxswain.gateway.models.verdicts import Judge, judge
from coxswain.store.verdicts import Unsettled, Verdict

DEMO = {"alias": "toy", "provider": "demo", "model": "demo"}
REAL = {
    "alias": "main",
    "provider": "openai",
    "model": "m",
    "credentials": {"name": "key"},
}


def agent(*models: dict[str, Any], generation: int = 1, uid: str = "u1") -> Unsettled:
    metadata = {
        "name": "reader",
        "namespace": "team",
        "uid": uid,
        "creationTimestamp": "2026-11-21T03:00:00Z",
    }
    body = {"metadata": metadata, "spec": {"models": list(models)}}
    return Unsettled(uid, "team", "reader", generation, body)


class Cluster:
    """Secrets are missing, or nobody answers."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or NotFoundError("no")
        self.asked = 0

    async def get(self, path: str) -> dict[str, Any]:
        self.asked += 1
        raise self.error


class Records:
    """Agents and verdicts in memory."""

    def __init__(self, *agents: Unsettled) -> None:
        self.agents = {each.agent_uid: each for each in agents}
        self.settled: set[str] = set()
        self.verdicts: list[Verdict] = []

    async def unsettled(self) -> Sequence[Unsettled]:
        return [each for uid, each in self.agents.items() if uid not in self.settled]

    async def one(self, agent_uid: str) -> Unsettled | None:
        return self.agents.get(agent_uid)

    async def put(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        if verdict.ready:
            self.settled.add(verdict.agent_uid)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 0.0

    def read(self) -> float:
        return self.now


async def on() -> bool:
    return True


def destinations(cluster: Cluster) -> Destinations:
    return Destinations(cluster.get, listed_urls=(), demo=on)


@pytest.mark.parametrize(
    ("models", "ready", "reason"),
    [
        ((DEMO,), True, "Ready"),
        ((), True, "NoModels"),
        ((REAL,), False, "CredentialsMissing"),
        ((REAL, DEMO), False, "Invalid"),
        (({**REAL, "credentials": None},), False, "CredentialsMissing"),
        (({**DEMO, "provider": "unheard-of"},), False, "Invalid"),
        (({**DEMO, "aFieldOf": "a newer version"},), True, "Ready"),
    ],
    ids=["demo", "none", "no secret", "demo beside real", "no credentials", "unknown", "newer"],
)
async def test_an_agents_models_have_one_verdict(
    models: tuple[dict[str, Any], ...], ready: bool, reason: str
) -> None:
    said = await judge(destinations(Cluster()), agent(*models))
    assert (said.ready, said.reason, said.generation) == (ready, reason, 1)
    assert said.message


async def test_an_agent_that_is_not_ready_is_looked_at_every_thirty_seconds() -> None:
    cluster, clock = Cluster(), Clock()
    made = Judge(
        destinations(cluster),
        Records(agent(REAL)),
        poll_seconds=1,
        recheck_seconds=30,
        clock=clock.read,
    )
    for clock.now in (0.0, 1.0, 29.0, 30.0, 31.0):
        await made.look()
    assert cluster.asked == 2


async def test_a_new_generation_is_judged_at_once() -> None:
    records = Records(agent(REAL))
    made = Judge(
        destinations(Cluster()), records, poll_seconds=1, recheck_seconds=30, clock=lambda: 0.0
    )
    await made.look()
    records.agents["u1"] = agent(DEMO, generation=2)
    await made.look()
    assert [(each.generation, each.ready) for each in records.verdicts] == [(1, False), (2, True)]


async def test_a_doubt_about_a_settled_agent_is_looked_into() -> None:
    records = Records(agent(REAL))
    records.settled.add("u1")
    made = Judge(destinations(Cluster()), records, poll_seconds=1, recheck_seconds=30)
    await made.look()
    assert records.verdicts == []
    made.doubt("u1")
    made.doubt("gone")
    await made.look()
    assert [each.reason for each in records.verdicts] == ["CredentialsMissing"]


async def test_no_verdict_is_given_while_nobody_can_say() -> None:
    records = Records(agent(REAL))
    cluster = Cluster(UnavailableError("away"))
    made = Judge(destinations(cluster), records, poll_seconds=1, recheck_seconds=30)
    with pytest.raises(UnavailableError):
        await made.look()
    assert records.verdicts == []
