"""The conditions of a Job: their order, their generation, and how deploy tools read them."""

from dataclasses import replace
from datetime import datetime

import pytest

from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import UserError
from coxswain.rules import caps
from coxswain.rules.caps import Full
from coxswain.rules.outcome import PodEnd
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, kstatus, snapshots
from tests.support.snapshots import BADLY, NO_RECORDS, NOW, PLATFORM, WELL, at

ORDER = list(ConditionType)
TAKEN = PodEnd(succeeded=False, disrupted=True)
TWICE = builders.job().with_attempts(2)
WAITING = snapshots.waiting()
PULL = Seen(ConditionType.POD_STARTED, "False", "ImagePull", "no such image")

STORIES: dict[str, tuple[JobSnapshot, datetime, str]] = {
    "no agent": (replace(WAITING, agent=None), NOW, "InProgress"),
    "no slot": (replace(WAITING, full=(Full(caps.INSTALLATION, 9),)), NOW, "InProgress"),
    "no records": (replace(WAITING, records=NO_RECORDS), NOW, "InProgress"),
    "no image": (snapshots.starting(waits_for=PULL), at(6), "InProgress"),
    "no start": (snapshots.starting(waits_for=PULL), at(300), "Failed"),
    "starts to run": (snapshots.starting(running_since=NOW), at(1), "InProgress"),
    "well": (snapshots.ended(end=WELL), at(21), "Current"),
    "badly": (snapshots.ended(end=BADLY), at(21), "Failed"),
    "badly without records": (
        snapshots.ended(run=None, records=NO_RECORDS),
        at(21),
        "InProgress",
    ),
    "tried again": (snapshots.ended(TWICE), at(21), "InProgress"),
    "taken away": (snapshots.ended(end=TAKEN), at(21), "InProgress"),
    "overdue": (
        snapshots.running(builders.job().with_spec(timeoutSeconds=60)),
        at(70),
        "Failed",
    ),
    "unreadable": (snapshots.waiting(spec=UserError("bad")), NOW, "Failed"),
}
CANCELLED = snapshots.waiting(builders.job().cancelled())
WRITTEN = [*((seen, now) for seen, now, _ in STORIES.values()), (CANCELLED, NOW)]


@pytest.mark.parametrize(("seen", "now"), WRITTEN, ids=[*STORIES, "cancelled"])
def test_every_status_has_its_conditions_once_and_in_the_fixed_order(
    seen: JobSnapshot, now: datetime
) -> None:
    found = decide(seen, PLATFORM, now).status
    assert found is not None
    places = [ORDER.index(ConditionType(each["type"])) for each in found["conditions"]]
    assert places == sorted(set(places))
    assert [each["type"] for each in found["conditions"][-3:]] == ORDER[-3:]


@pytest.mark.parametrize(("seen", "now"), WRITTEN, ids=[*STORIES, "cancelled"])
def test_every_status_and_condition_is_of_the_generation_that_was_seen(
    seen: JobSnapshot, now: datetime
) -> None:
    third = replace(seen, metadata=seen.metadata.model_copy(update={"generation": 3}))
    found = decide(third, PLATFORM, now).status
    assert found is not None
    told = {found["observedGeneration"]}
    assert told | {each["observedGeneration"] for each in found["conditions"]} == {3}


@pytest.mark.parametrize(("seen", "now", "reading"), STORIES.values(), ids=STORIES)
def test_a_deploy_tool_reads_the_status_as_it_is_meant(
    seen: JobSnapshot, now: datetime, reading: str
) -> None:
    found = decide(seen, PLATFORM, now).status
    assert found is not None
    assert kstatus.read({"generation": 1}, found) == reading
    assert kstatus.read({"generation": 2}, found) == "InProgress"


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    first = snapshots.starting(waits_for=PULL)
    known = snapshots.follow(first, decide(first, PLATFORM, at(6)))
    other = replace(PULL, reason="Unschedulable")
    seen = replace(known, pod=snapshots.pod(known, waits_for=other))
    found = snapshots.follow(known, decide(seen, PLATFORM, at(30))).status
    then = {each.type: each.last_transition_time for each in known.status.conditions}
    assert {each.type: each.last_transition_time for each in found.conditions} == then
    assert found.conditions != known.status.conditions


def test_a_cancelled_job_keeps_no_deploy_tool_waiting() -> None:
    status = decide(CANCELLED, PLATFORM, NOW).status
    assert status is not None
    assert kstatus.read({"generation": 1}, status) == "Failed"


def _answers(seen: JobSnapshot, now: datetime = NOW) -> dict[str, str]:
    """What its status says before the end, by condition."""
    found = decide(seen, PLATFORM, now).status
    assert found is not None
    known = {each["type"]: each["status"] for each in found["conditions"]}
    return dict(list(known.items())[:-4])


def test_a_job_that_is_cancelled_without_an_attempt_says_nothing_of_what_it_would_have_waited_for() -> (
    None
):
    missing = replace(WAITING, agent=None)
    known = snapshots.follow(missing, decide(missing, PLATFORM, NOW))
    for seen in (CANCELLED, replace(known, spec=CANCELLED.spec)):
        assert _answers(seen, at(9)) == {"Accepted": "True"}


def test_a_job_that_is_cancelled_in_its_attempt_says_that_every_gate_was_passed() -> None:
    running = replace(snapshots.running(), spec=CANCELLED.spec)
    found = decide(replace(running, pod=snapshots.pod(running, end=WELL)), PLATFORM, at(9)).status
    assert found is not None
    gates = [each["status"] for each in found["conditions"]][:-4]
    assert gates == ["True"] * 5


@pytest.mark.parametrize(
    ("answer", "output", "shown"),
    [
        ("a", '{"n":1}', ("a", False, '{"n":1}')),
        ("ä" * 3000, None, ("ä" * 2048, True, None)),
        ("x" * 4096, "1" * 96, ("x" * 4000, True, "1" * 96)),
        ("a", "1" * 5000, ("a", True, None)),
    ],
)
def test_the_short_form_of_a_result_is_4_kib_and_an_output_is_never_cut(
    answer: str, output: str | None, shown: tuple[str, bool, str | None]
) -> None:
    posted = snapshots.posted("succeeded", answer=answer, output=output)
    known = snapshots.ended(end=snapshots.WELL, run=posted)
    decided = decide(known, snapshots.PLATFORM, snapshots.at(30))
    assert decided.status is not None
    found = decided.status["result"]
    assert (found["answer"], found["truncated"], found.get("output")) == shown
