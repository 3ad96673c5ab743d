"""What comes of a Job: how it waits, starts, ends and goes, and who is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.records import Given, WantedLease
from coxswain.reconcile import instants, key, outbox
from coxswain.reconcile.decision import NOTHING
from coxswain.rules import retry
from coxswain.rules.outcome import Ended, RunFacts
from coxswain_controllers.job import form, retention, turn
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.depended import seen as dependencies
from coxswain_controllers.job.snapshot import ApprovalSeen, JobSnapshot
from tests.support import builders, snapshots
from tests.support.builders import JobBuilder
from tests.support.snapshots import BADLY, NOW, PLATFORM, WELL, at
from tests.support.transitions.effects import agents

Body = dict[str, Any]
HASH = "as shown"
FAILED = Ended("Failed", "ExitCode", "it ended with 3", 3)
IN_AN_ACT = RunFacts(claimed=True, acts_open=("pay",))


def _world(found: Body | None) -> Any:
    """A world in which every Job that is named is this one."""
    return cast("Any", SimpleNamespace(cache=SimpleNamespace(named=lambda *_: found)))


NOBODY, HAS_FAILED = _world(None), _world({"status": {"phase": "Failed"}})


def views(spec: Body) -> Iterator[tuple[str, object]]:
    """How it waits, how an attempt begins and ends, and what follows."""
    as_it_is = _waiting(spec)
    free = {name: each for name, each in spec.items() if name not in ("suspend", "cancel")}
    yield "as it is", decide(as_it_is, PLATFORM, NOW).status
    yield "line", turn.request(as_it_is)
    yield "attempt", agents.attempt(_waiting(free))
    yield "others", [decide(each, PLATFORM, NOW).status for each in _after_others(free)]
    yield "leases", decide(_without_leases(_waiting(free)), PLATFORM, NOW).status
    yield "told", _told(spec)
    policy = as_it_is.valid_spec.retry
    yield "attempts", [retry.is_due(FAILED, policy, used=used, lost=0) for used in range(21)]
    yield "waits", [retry.longest_seconds(policy, used=used) for used in range(1, 12)]
    yield from _approvals(free)
    yield from _ends(free)


def _job(spec: Body) -> JobBuilder:
    return JobBuilder("Job", "read", spec=spec)


def _waiting(spec: Body, given: tuple[Given, ...] | None = None, by: str = "zoe") -> JobSnapshot:
    job = _job(spec)
    if given is None:
        given = tuple(_says(who) for who in ("ada", "bob"))
    agreed = ApprovalSeen(by, HASH, given) if "approval" in spec else None
    agent = builders.agent().with_spec(queues=["default", "night"])
    return snapshots.waiting(job, agent=snapshots.agent(agent), approval=agreed)


def _after_others(spec: Body) -> list[JobSnapshot]:
    """The Jobs that it waits for are not there, or have failed."""
    raw = _job(spec).raw
    where, job = key.of("Job", raw), form.of_job(raw)
    seen = [dependencies(world, where, job, {}) for world in (NOBODY, HAS_FAILED)]
    return [replace(_waiting(spec), dependencies=each) for each in seen]


def _says(who: str) -> Given:
    return Given(who, HASH, approved=True, reason="", at=NOW)


def _without_leases(snapshot: JobSnapshot) -> JobSnapshot:
    """None of the leases that it names is there."""
    wanted = tuple(WantedLease(name, None) for name in snapshot.valid_spec.leases)
    return replace(snapshot, leases=wanted)


def _approvals(spec: Body) -> Iterator[tuple[str, object]]:
    agreed = {"nobody": (), "one": (_says("ada"),), "who made it": (_says("zoe"), _says("ada"))}
    for name, given in agreed.items():
        for by in ("zoe", "ada"):
            decision = decide(_waiting(spec, given, by), PLATFORM, NOW)
            yield f"agreed by {name}, made by {by}", (decision.status, decision.wake_at)
    late = snapshots.CREATED + timedelta(days=2)
    yield "agreed too late", decide(_waiting(spec, ()), PLATFORM, late).status


def _ends(spec: Body) -> Iterator[tuple[str, object]]:
    well, badly = _over(spec, WELL), _over(spec, BADLY)
    posted = RunFacts(claimed=True, result=RunResult(status=ResultStatus.SUCCEEDED))
    yield "succeeds", decide(replace(well, run=posted), PLATFORM, at(20)).status
    yield "fails", decide(badly, PLATFORM, at(20)).status
    yield "in an act", decide(replace(badly, run=IN_AN_ACT), PLATFORM, at(20)).status
    over = _job(spec).with_status(phase="Failed", finishedAt=instants.text(NOW))
    yield "goes", decide(snapshots.waiting(over), PLATFORM, NOW).wake_at
    for each in (well, badly):
        assert each.pod is not None
        kept = replace(each, done=(each.pod,))
        yield f"pod goes: {each.pod.end}", retention.applied(kept, NOTHING, NOW).wake_at


def _over(spec: Body, end: Any) -> JobSnapshot:
    known = _waiting(spec)
    pod = snapshots.pod(known, running_since=NOW, ended_at=at(20), end=end)
    return replace(known, pod=pod, run=snapshots.CLAIMED, token=1)


def _told(spec: Body) -> object:
    ended = _job(spec).with_status(phase="Failed", finishedAt=instants.text(NOW))
    owed = outbox.of("Job", ended.raw)
    return [(each.url, each.signing_secret) for each in owed]
