"""Before the first pod of a Job: it starts, or says once which gate is shut."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, find
from coxswain.errors import UserError
from coxswain.reconcile import actions, instants, turns
from coxswain.rules import caps
from coxswain.rules.caps import Full
from coxswain.rules.quota import QuotaState
from coxswain_controllers.job import gates, turn
from coxswain_controllers.job.decide import LOOK_AGAIN, decide
from coxswain_controllers.job.snapshot import JobSnapshot, Used
from tests.support import builders, snapshots
from tests.support.snapshots import CREATED, NOW, PLATFORM, condition, waiting

OPEN = waiting()
AGENT_FULL = (Full(caps.of_agent("team", "helm"), 4),)
FORMER = (snapshots.pod(OPEN, name="an-older-pod", running_since=CREATED),)
TIGHT = (QuotaState("team", {"pods": Decimal(2)}, {"pods": Decimal(2)}),)
AFTER_A_FAILURE = builders.job().with_status(
    phase="Queued", observedGeneration=1, retryAt=instants.text(snapshots.at(30))
)

# In the order in which the gates are asked.
SHUT = {
    "no Agent": (replace(OPEN, agent=None), "AgentReady", "AgentNotFound"),
    "suspended": (
        replace(OPEN, agent=snapshots.agent(builders.agent().suspended())),
        "AgentReady",
        "AgentSuspended",
    ),
    "unready Agent": (
        replace(
            OPEN,
            agent=snapshots.agent(
                ready=condition(ConditionType.AGENT_READY, "False", "CredentialsMissing")
            ),
        ),
        "AgentReady",
        "CredentialsMissing",
    ),
    "foreign queue": (
        waiting(builders.job().with_spec(queue="nightly")),
        "AgentReady",
        "QueueNotTaken",
    ),
    "no records": (
        replace(OPEN, records=snapshots.NO_RECORDS),
        "RecordsAvailable",
        "Unavailable",
    ),
    "back-off": (waiting(AFTER_A_FAILURE), "BackOff", "Waiting"),
    "Agent full": (replace(OPEN, full=AGENT_FULL), "QuotaReserved", "AgentQuota"),
    "queue full": (
        replace(OPEN, full=(Full(caps.of_queue("nightly"), 3),)),
        "QuotaReserved",
        "QueueQuota",
    ),
    "too many in the workspace": (
        replace(OPEN, full=(Full(caps.of_workspace("team"), 3),)),
        "QuotaReserved",
        "WorkspaceQuota",
    ),
    "installation full": (
        replace(OPEN, full=(Full(caps.INSTALLATION, 3),)),
        "QuotaReserved",
        "InstallationQuota",
    ),
    "no processors left": (
        replace(
            OPEN,
            agent=snapshots.agent(builders.agent().with_spec(quota={"cpu": "1"})),
            used=Used(cpu=Decimal(1)),
        ),
        "QuotaReserved",
        "AgentQuota",
    ),
    "workspace full": (replace(OPEN, quotas=TIGHT), "QuotaReserved", "WorkspaceQuota"),
    "pod refused": (replace(OPEN, refusal="exceeded quota"), "QuotaReserved", "WorkspaceQuota"),
    "no runtime": (
        replace(
            OPEN,
            agent=snapshots.agent(
                builders.agent().with_spec(sandbox={"runtimeClassName": "gvisor"})
            ),
        ),
        "SandboxReady",
        "RuntimeClassMissing",
    ),
    "former pod": (replace(OPEN, former=FORMER), "SandboxReady", "FormerPodEnding"),
    "no sandbox": (
        replace(OPEN, sandbox=condition(ConditionType.SANDBOX_READY, "False", "NotOnboarded")),
        "SandboxReady",
        "NotOnboarded",
    ),
}
GATE_ORDER = [
    "Accepted",
    "AgentReady",
    "RecordsAvailable",
    "BackOff",
    "QuotaReserved",
    "SandboxReady",
]


def test_a_job_with_open_gates_has_its_row_written_before_its_pod_and_no_status() -> None:
    decision = decide(OPEN, PLATFORM, NOW)
    row, made = decision.actions
    assert isinstance(row, actions.OpenRun)
    assert isinstance(made, actions.CreatePod)
    assert (row.document.attempt, row.pod_name) == (1, OPEN.pod_name)
    assert made.manifest["metadata"]["name"] == OPEN.pod_name
    assert decision.status is None
    assert decision.wake_at is not None


def test_the_row_of_the_next_attempt_has_a_token_beyond_the_last_one() -> None:
    (row, _) = decide(waiting(token=7), PLATFORM, NOW).actions
    assert isinstance(row, actions.OpenRun)
    assert row.last_token == 7


@pytest.mark.parametrize(("said", "bytes_"), [("2Mi", 2_097_152), (70_000, 70_000), (None, None)])
def test_the_row_says_how_many_bytes_its_agent_lets_through(said: Any, bytes_: int | None) -> None:
    egress = {} if said is None else {"bytesPerRun": said}
    bound = builders.agent().with_spec(sandbox={"egress": egress})
    (row, _) = decide(waiting(agent=snapshots.agent(bound)), PLATFORM, NOW).actions
    assert isinstance(row, actions.OpenRun)
    assert row.document.egress_bytes == bytes_


@pytest.mark.parametrize(("seen", "kind", "reason"), SHUT.values(), ids=SHUT)
def test_a_shut_gate_holds_the_job_and_says_why(seen: JobSnapshot, kind: str, reason: str) -> None:
    decision = decide(seen, PLATFORM, NOW)
    found = snapshots.follow(seen, decision).status
    assert decision.actions == ()
    blocked = find(found.conditions, ConditionType(kind))
    assert blocked is not None
    assert (blocked.status, blocked.reason) == ("False", reason)
    before = GATE_ORDER[: GATE_ORDER.index(kind)]
    assert [each.type for each in found.conditions[:-4]] == before
    assert {each.status for each in found.conditions[:-4]} <= {"True"}
    ready = find(found.conditions, ConditionType.READY)
    assert ready is not None
    assert (found.phase, ready.reason) == ("Queued", reason)


@pytest.mark.parametrize(("seen", "kind", "reason"), SHUT.values(), ids=SHUT)
def test_a_shut_gate_is_written_once(seen: JobSnapshot, kind: str, reason: str) -> None:
    known = snapshots.follow(seen, decide(seen, PLATFORM, NOW))
    second = decide(known, PLATFORM, snapshots.at(5))
    assert (second.status, second.actions, second.notes) == (None, (), ()), (kind, reason)


@pytest.mark.parametrize(("seen", "kind", "reason"), SHUT.values(), ids=SHUT)
def test_a_shut_gate_is_told_to_people_once_the_wait_is_long(
    seen: JobSnapshot, kind: str, reason: str
) -> None:
    assert [each.reason for each in decide(seen, PLATFORM, NOW).notes] == [reason], kind
    assert decide(seen, PLATFORM, CREATED + timedelta(seconds=5)).notes == ()


def test_of_all_gates_that_are_shut_the_earliest_answers() -> None:
    merged = replace(
        waiting(AFTER_A_FAILURE),
        agent=None,
        records=snapshots.NO_RECORDS,
        full=AGENT_FULL,
        former=FORMER,
    )
    opened: list[tuple[str, dict[str, Any]]] = [
        ("AgentReady", {"agent": snapshots.agent()}),
        ("RecordsAvailable", {"records": OPEN.records}),
        ("BackOff", {"status": OPEN.status}),
        ("QuotaReserved", {"full": ()}),
        ("SandboxReady", {"former": ()}),
    ]
    for kind, change in opened:
        seen, is_free = gates.evaluate(merged, PLATFORM, NOW)
        assert not is_free
        assert seen[-1].type == kind
        merged = replace(merged, **change)
    assert gates.evaluate(merged, PLATFORM, NOW)[1]


@pytest.mark.parametrize(
    ("taken", "queue", "is_taken"),
    [
        ([], "default", True),
        ([], "nightly", False),
        (["nightly"], "nightly", True),
        (["nightly"], "default", False),
    ],
)
def test_an_agent_takes_the_queues_that_it_lists_or_those_of_the_installation(
    taken: list[str], queue: str, is_taken: bool
) -> None:
    agent = snapshots.agent(builders.agent().with_spec(queues=taken))
    seen = waiting(builders.job().with_spec(queue=queue), agent=agent)
    found = gates.agent_is_ready(seen, PLATFORM, NOW)
    assert (found.status == "True") is is_taken
    if not is_taken:
        assert (
            f"takes Jobs of {taken[0] if taken else 'default'}, not of queue {queue}"
            in found.message
        )


def test_an_installation_may_allow_other_queues_by_default() -> None:
    seen = waiting(builders.job().with_spec(queue="nightly"))
    allowing = replace(PLATFORM, default_queues=("nightly",))
    assert gates.agent_is_ready(seen, allowing, NOW).status == "True"
    assert gates.agent_is_ready(OPEN, allowing, NOW).reason == "QueueNotTaken"


def test_an_unreadable_spec_shuts_the_first_gate() -> None:
    seen, is_free = gates.evaluate(replace(OPEN, spec=UserError("bad")), PLATFORM, NOW)
    assert not is_free
    assert [(each.type, each.reason) for each in seen] == [("Accepted", "Invalid")]


def test_another_reason_of_the_same_gate_is_written() -> None:
    known = replace(OPEN, agent=None)
    known = snapshots.follow(known, decide(known, PLATFORM, NOW))
    other = replace(known, agent=snapshots.agent(builders.agent().suspended()))
    assert decide(other, PLATFORM, NOW).status is not None


def test_a_job_that_several_caps_hold_up_says_one_of_them_until_that_is_no_more_so() -> None:
    by_queue, by_agent = Full(caps.of_queue("default"), 3), *AGENT_FULL
    known = replace(OPEN, full=(by_queue,))
    known = snapshots.follow(known, decide(known, PLATFORM, NOW))
    assert decide(replace(known, full=(by_agent, by_queue)), PLATFORM, NOW).status is None
    later = decide(replace(known, full=(by_agent,)), PLATFORM, NOW)
    (said,) = later.notes
    assert said.reason == "AgentQuota"


def test_a_full_home_says_that_it_takes_one_job_at_a_time() -> None:
    home = snapshots.agent(builders.agent().with_home())
    seen, _ = gates.evaluate(replace(OPEN, agent=home, full=AGENT_FULL), PLATFORM, NOW)
    assert "one Job at a time" in seen[-1].message
    assert (gates.slots_of(home.spec), gates.slots_of(OPEN.agent_spec)) == (1, 4)


def test_a_pod_says_by_its_labels_where_it_counts() -> None:
    job = builders.job().with_metadata(labels={"coxswain.dev/owner": "ann"})
    agent = snapshots.agent(builders.agent().with_spec(queues=["nightly"]))
    seen = waiting(job.with_spec(queue="nightly"), agent=agent)
    made = decide(seen, PLATFORM, NOW).actions[1]
    assert isinstance(made, actions.CreatePod)
    assert turns.slot_of_pod(made.manifest) == turn.slot(seen.metadata, seen.valid_spec)
    other = decide(OPEN, PLATFORM, NOW).actions[1]
    assert isinstance(other, actions.CreatePod)
    assert turns.slot_of_pod(other.manifest) == turn.slot(OPEN.metadata, OPEN.valid_spec)


def test_a_new_generation_is_written_though_the_reason_is_the_same() -> None:
    known = replace(OPEN, agent=None)
    known = snapshots.follow(known, decide(known, PLATFORM, NOW))
    newer = known.metadata.model_copy(update={"generation": 2})
    found = decide(replace(known, metadata=newer), PLATFORM, NOW).status
    assert found is not None
    assert found["observedGeneration"] == 2


def test_a_failure_that_is_over_is_taken_back_though_the_reason_is_the_same() -> None:
    shown = builders.job().with_status(phase="Queued", observedGeneration=1)
    shown = shown.with_condition("AgentReady", "False", "AgentNotFound")
    shown = shown.with_condition("Reconciling", "True", RETRYING_AFTER_ERROR)
    found = snapshots.follow(OPEN, decide(waiting(shown, agent=None), PLATFORM, NOW)).status
    reconciling = find(found.conditions, ConditionType.RECONCILING)
    assert reconciling is not None
    assert reconciling.reason == "Waiting"


@pytest.mark.parametrize("name", ["no records", "former pod", "no sandbox"])
def test_what_nobody_wakes_the_job_for_is_looked_at_again(name: str) -> None:
    assert decide(SHUT[name][0], PLATFORM, NOW).wake_at == NOW + LOOK_AGAIN


def test_a_job_in_its_back_off_wakes_when_that_is_over_and_starts_then() -> None:
    seen = waiting(AFTER_A_FAILURE)
    assert decide(seen, PLATFORM, NOW).wake_at == snapshots.at(30)
    assert len(decide(seen, PLATFORM, snapshots.at(30)).actions) == 2
