"""What comes of an Agent: its own status and claim, and the attempts of a Job that names it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.kind import Agent, Metadata
from coxswain.reconcile import actions, key
from coxswain_controllers.agent.decide import decide as decide_agent
from coxswain_controllers.agent.snapshot import AgentSnapshot
from coxswain_controllers.job import gates
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot, Used
from tests.support import builders, snapshots
from tests.support.transitions.samples import RUNTIME_CLASS

Body = dict[str, Any]
PLATFORM = builders.platform(allowed_images=["registry.example/"])
READY = Seen(ConditionType.MODEL_READY, "True", "Ready")
ROOM = Seen(ConditionType.SANDBOX_READY, "True", "Ready")
ALMOST_ALL = {"cpu": Used(cpu=Decimal(39)), "memory": Used(memory=Decimal(39 * 2**30))}


def views(spec: Body) -> Iterator[tuple[str, object]]:
    """What the Agent itself comes to, and what a Job of it does."""
    builder = builders.agent().with_spec(**spec).ready()
    itself = decide_agent(_snapshot(builder.raw), snapshots.NOW)
    yield "status", itself.status
    yield "claim", itself.actions
    job = snapshots.waiting(builders.job(), agent=snapshots.agent(builder))
    job = replace(job, runtime_classes=frozenset({RUNTIME_CLASS}))
    yield "attempt", attempt(job)
    for name, used in ALMOST_ALL.items():
        yield f"room for {name}", attempt(replace(job, used=used))
    yield "slots", gates.slots_of(job.agent_spec)
    nightly = snapshots.waiting(builders.job().with_spec(queue="night"), agent=job.agent)
    yield "queue", decide(nightly, PLATFORM, snapshots.NOW).status
    starting = replace(job, pod=snapshots.pod(job))
    yield "late start", decide(starting, PLATFORM, snapshots.NOW).wake_at


def attempt(job: JobSnapshot) -> list[object]:
    """The run document and the pod, or why there is none."""
    decision = decide(job, PLATFORM, snapshots.NOW)
    found: list[object] = [decision.status]
    for each in decision.actions:
        if isinstance(each, actions.OpenRun):
            found.append(each.document.to_wire())
        if isinstance(each, actions.CreatePod):
            found.append(each.manifest)
    return found


def _snapshot(raw: Body) -> AgentSnapshot:
    return AgentSnapshot(
        key=key.of("Agent", raw),
        metadata=Metadata.parse(raw),
        agent=Agent.parse(raw),
        status=Agent.status_of({**raw, "status": {}}),
        model=READY,
        sandbox=ROOM,
        enforced=None,
    )
