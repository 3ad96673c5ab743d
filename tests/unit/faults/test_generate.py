"""Which plans follow from what was seen."""

from typing import Any

from tests.faults import generate
from tests.faults.plan import SIDECAR, Deed, Plan
from tests.faults.proxy.seen import Committed, Exchange, Told, Trace
from tests.faults.proxy.targets import Target


def _written(at: float, verb: str, resource: str) -> Exchange:
    return Exchange(at, "one", Target(verb, resource, "team", "j"), {}, 200, 1)


def _told(version: int, name: str = "a", **spec: Any) -> Told:
    metadata = {"name": name, "uid": name, "resourceVersion": str(version)}
    return Told(0.0, "one", "agents", "MODIFIED", {"metadata": metadata, "spec": spec})


def _plans(seen: Trace) -> dict[str, Plan]:
    found = generate.plans("retry", seen.within(0.0, 10.0), seen.within(10.0, 20.0))
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def test_of_each_write_both_sides_and_the_lost_answer() -> None:
    writes = [_written(1.0, "create", "pods"), _written(2.0, "create", "pods")]
    renewal = _written(1.5, "update", "leases.coordination.k8s.io")
    found = _plans(Trace(exchanges=[writes[0], renewal, writes[1]]))
    assert list(found) == [
        f"create-pods-{nth}-{what}"
        for nth in (1, 2)
        for what in ("kill-before", "kill-after", "lose-after", "504-after", "freeze")
    ]
    assert found["create-pods-1-freeze"].replicas == 2
    assert found["create-pods-1-kill-after"].replicas == 1
    (fault,) = found["create-pods-2-kill-after"].faults
    assert fault.request is not None
    assert (fault.request.resource, fault.request.nth, fault.do, fault.when) == (
        "pods",
        2,
        Deed.KILL,
        "after",
    )


def test_of_commits_only_those_that_are_no_routine() -> None:
    commits = [
        Committed(1.0, "one", "INSERT INTO runs AS standing"),
        Committed(2.0, "one", "UPDATE leases SET a = 1"),
        Committed(11.0, "one", "UPDATE leases SET a = 1"),
    ]
    assert list(_plans(Trace(commits=commits))) == [
        f"commit-into-runs-1-{what}"
        for what in ("kill-before", "kill-after", "lose-before", "lose-after")
    ]


def test_the_sidecar_is_counted_for_itself_and_its_faults_name_it() -> None:
    asked = Exchange(1.5, SIDECAR, Target("create", "pods", "team", "j"), {}, 201, 2)
    commits = [
        Committed(2.0, "one", "INSERT INTO runs AS standing"),
        Committed(3.0, SIDECAR, "INSERT INTO runs AS standing"),
    ]
    found = _plans(Trace(exchanges=[_written(1.0, "create", "pods"), asked], commits=commits))
    its = {name: each for name, each in found.items() if name.startswith("sidecar-")}
    assert [name.removeprefix("sidecar-") for name in its] == [
        *(
            f"create-pods-1-{what}"
            for what in ("kill-before", "kill-after", "lose-after", "504-after", "freeze")
        ),
        *(
            f"commit-into-runs-1-{what}"
            for what in ("kill-before", "kill-after", "lose-before", "lose-after", "freeze")
        ),
    ]
    assert {fault.replica for each in its.values() for fault in each.faults} == {SIDECAR}
    others = [fault for name in found.keys() - its.keys() for fault in found[name].faults]
    assert {fault.replica for fault in others} == {None}


def test_a_sidecar_that_is_frozen_needs_no_further_operator() -> None:
    asked = Exchange(1.5, SIDECAR, Target("create", "jobs", "team", "j"), {}, 201, 2)
    found = _plans(Trace(exchanges=[asked]))
    assert found["sidecar-create-jobs-1-freeze"].replicas == 1


def test_of_a_deletion_a_next_leader_that_sees_the_past() -> None:
    found = _plans(Trace(exchanges=[_written(1.0, "delete", "pods")]))
    killed, past = found["delete-pods-1-past"].faults
    assert (killed.do, killed.when, past.do, past.then) == (Deed.KILL, "after", Deed.OLD, True)
    assert past.request is not None
    assert (past.request.verb, past.request.resource) == ("list", "pods")


def test_of_a_change_that_is_taken_back_only_its_end_is_seen() -> None:
    told = [_told(1, suspend=False), _told(2, suspend=True), _told(3, suspend=True)]
    told += [_told(4, name="b", suspend=True), _told(5, suspend=False)]
    found = _plans(Trace(told=told))
    hidden = found["unseen-agents-2-to-3"].faults
    assert [each.event.nth for each in hidden if each.event] == [2, 3]
    assert {each.do for each in hidden} == {Deed.DROP}
    assert not [
        each for each in found if each.startswith("unseen") and found[each].faults != hidden
    ]


def test_what_is_lost_has_the_time_of_a_sweep() -> None:
    found = _plans(Trace(told=[_told(1)]))
    assert found["event-agents-modified-1-drop"].seconds == generate.LOST_SECONDS
    assert found["event-agents-modified-1-cut"].seconds < generate.LOST_SECONDS
