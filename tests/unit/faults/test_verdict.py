"""What a plan came to, as people read it."""

from typing import Any

from tests.faults.director import Fired
from tests.faults.ends import Ends, ended
from tests.faults.history import History, Restart
from tests.faults.plan import Deed, Fault, Plan, Request
from tests.faults.proxy.seen import Committed, Exchange, Trace
from tests.faults.proxy.targets import Target
from tests.faults.verdict import Verdict
from tests.support.histories import gone_through, history, job, pod

KILL = Fault(request=Request(verb="create", resource="pods"), do=Deed.KILL, when="after")
MADE = Exchange(1.0, "one", Target("create", "pods", "team"), {"metadata": {"name": "p"}}, 201, 2)


def _verdict(found: History, **more: Any) -> Verdict:
    given: dict[str, Any] = {
        "plan": Plan(name="a-plan", workload="retry"),
        "history": found,
        "trace": Trace(),
        "ends": Ends(),
        "fired": (),
        "waiting": (),
        "restarts": (),
        "problem": "",
        "seconds": 1.5,
        "logs": "",
    }
    return Verdict(**{**given, **more})


def test_a_plan_that_held_is_a_line() -> None:
    fired = (Fired(1.0, "one", KILL, "create pods"),)
    verdict = _verdict(history(), fired=fired)
    assert verdict.is_good
    assert verdict.line() == "ok    retry/a-plan (1.5 s after the last fault)"
    assert _verdict(history()).line() == "ok    retry/a-plan (1.5 s)"


def test_what_did_not_hold_comes_first_with_its_revision() -> None:
    doubled = history(pod(1), pod(1, name="other"), job())
    verdict = _verdict(doubled, ends=Ends(jobs={"j": ended("None")}))
    assert not verdict.is_good
    first, second, third = verdict.story().splitlines()[:3]
    assert first == "fail  retry/a-plan: one live pod per attempt"
    assert second == "  one live pod per attempt:"
    assert third.startswith("    at revision 2: attempt 1 of ")


def test_another_end_than_was_said_does_not_hold() -> None:
    verdict = _verdict(history(), ends=Ends(jobs={"j": ended("Succeeded")}))
    assert verdict.line() == "fail  retry/a-plan: ends as its workload says"


def test_of_what_came_to_no_end_the_end_is_not_judged() -> None:
    verdict = _verdict(history(), ends=Ends(pods=1), problem="it has not come to its end")
    assert verdict.line() == "fail  retry/a-plan: comes to its end"


def test_a_fault_that_waits_makes_it_idle() -> None:
    verdict = _verdict(history(), waiting=(KILL,))
    assert not verdict.is_good
    assert verdict.line() == "idle  retry/a-plan: 1 faults found nothing to come true at"


def test_what_came_to_no_end_or_to_nothing_shows_nothing_and_what_was_broken_on_the_way_does() -> (
    None
):
    late = "it has not come to its end"
    assert _verdict(history(), problem=late).shows_nothing
    assert _verdict(history(), waiting=(KILL,)).shows_nothing
    assert not _verdict(history()).shows_nothing
    doubled = history(pod(1), pod(1, name="other"), job())
    assert not _verdict(doubled, problem=late).shows_nothing
    assert not _verdict(history(), ends=Ends(pods=1)).shows_nothing


def test_the_story_tells_in_order_what_was_asked_what_went_wrong_and_what_became_of_it() -> None:
    trace = Trace(exchanges=[MADE], commits=[Committed(0.5, "one", "INSERT INTO runs")])
    verdict = _verdict(
        history(gone_through("Queued"), pod(1), gone_through("Queued", "Running")),
        trace=trace,
        fired=(Fired(1.1, "one", KILL, "create pods"),),
        restarts=(Restart(1.2, "one", -9),),
        logs="--- one",
    )
    _, _, told = verdict.story().partition("\n\n")
    assert told.splitlines() == [
        "   0.00       r1 Job j is made",
        "   0.50  one  commits INSERT INTO runs",
        "   1.00  one  create pods 201",
        "   1.00       r2 Pod j-1 is made",
        "   1.00       r3 Job j: phase Running",
        "   1.10  one  ** kill after create pods",
        "   1.20  one  ** had ended by signal 9; starts again",
        "",
        "--- one",
    ]
