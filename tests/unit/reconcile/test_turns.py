"""The line itself: what is given to whom, and what never happens."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coxswain.reconcile.backlog import Backlog
from coxswain.reconcile.shares import Shares
from coxswain.reconcile.turns import Request, Turns
from coxswain.rules import caps, fairness
from coxswain.rules.caps import Bound, Caps, Full
from coxswain.rules.fairness import Slot, Waiting
from tests.support import lines
from tests.support.lines import Hall
from tests.unit.rules.test_fairness import SLOTS, WEIGHTS
from tests.unit.rules.test_fairness import lines as waiting_lines

HELM = caps.of_agent("team", "helm")
TEAM = caps.of_workspace("team")


@pytest.mark.parametrize(
    ("bounds", "agent_jobs", "scope"),
    [
        (Caps(), 2, HELM),
        (Caps(by_queue={"default": 2}), 9, caps.of_queue("default")),
        (Caps(per_workspace=2), 9, TEAM),
        (Caps(per_workspace=9, by_workspace={"team": 2}), 9, TEAM),
        (Caps(installation=2), 9, caps.INSTALLATION),
    ],
    ids=["Agent", "queue", "any workspace", "this workspace", "installation"],
)
def test_a_cap_that_is_reached_holds_the_third_job_until_one_has_ended(
    bounds: Caps, agent_jobs: int, scope: caps.Scope
) -> None:
    hall = Hall(bounds)
    found = [hall.comes(name, agent_jobs=agent_jobs) for name in "abc"]
    assert found == [(), (), (Full(scope, 2),)]
    hall.ends("a")
    assert hall.started == ["a", "b", "c"]


def test_a_job_that_several_caps_hold_is_told_all_of_them_the_narrowest_first() -> None:
    hall = Hall(Caps(installation=1, by_queue={"default": 1}))
    hall.comes("a", agent_jobs=1)
    bounds = [each.scope.bound for each in hall.comes("b", agent_jobs=1)]
    assert bounds == [Bound.AGENT, Bound.QUEUE, Bound.INSTALLATION]


def test_a_job_whose_agent_is_full_holds_up_nobody_else() -> None:
    hall = Hall(Caps(installation=2))
    hall.comes("a", agent="busy", agent_jobs=1)
    hall.comes("b", agent="busy", agent_jobs=1, priority=1000)
    assert hall.comes("c", agent="idle") == ()


def test_a_priority_that_is_raised_while_the_job_waits_overtakes() -> None:
    hall = Hall(Caps(installation=1))
    for name in "abc":
        hall.comes(name)
    hall.comes("c", priority=1)
    hall.ends("a")
    assert hall.started == ["a", "c"]


def test_an_agent_that_may_run_more_lets_those_who_wait_start_in_order() -> None:
    hall = Hall()
    for name in "abcd":
        hall.comes(name, agent_jobs=1)
    hall.comes("d", agent_jobs=3, priority=-1)
    assert hall.started == ["a", "b", "c"]


def test_a_slot_is_given_once_though_the_pass_of_its_job_comes_later() -> None:
    woken: list[str] = []
    turns = Turns(Caps(installation=1), lambda key: woken.append(key.uid))
    first, second, third = (lines.request(name, number) for number, name in enumerate("abc"))
    assert turns.ask(first) == ()
    assert turns.ask(second)
    turns.give_up("a")
    assert woken == ["b"]
    assert turns.ask(third)
    assert turns.ask(second) == ()
    assert turns.ask(second) == ()


def test_a_slot_that_was_given_and_is_not_wanted_goes_to_the_next() -> None:
    woken: list[str] = []
    turns = Turns(Caps(installation=1), lambda key: woken.append(key.uid))
    for number, name in enumerate("abc"):
        turns.ask(lines.request(name, number))
    turns.give_up("a")
    turns.give_up("b")
    assert woken == ["b", "c"]


def test_a_pod_holds_the_slot_that_was_given_for_it_and_no_second_one() -> None:
    turns = Turns(Caps(installation=2), lambda _: None)
    first = lines.request("a")
    turns.ask(first)
    turns.pod_changed(None, lines.pod(first, "Pending"))
    turns.give_up("a")
    assert turns.running() == {("team", "default"): 1}
    turns.pod_changed(lines.pod(first, "Running"), lines.pod(first, "Succeeded"))
    assert turns.running() == {}


def test_a_former_pod_of_the_same_name_takes_no_slot_away_when_it_goes() -> None:
    turns = Turns(Caps(installation=1), lambda _: None)
    first = lines.request("a")
    former, pod = lines.pod(first, "Running"), lines.pod(first, "Pending")
    pod["metadata"] = {**pod["metadata"], "uid": "newer"}
    turns.pod_changed(None, former)
    turns.pod_changed(None, pod)
    turns.pod_changed(former, None)
    assert turns.ask(lines.request("b", 1))


def test_pods_that_are_listed_after_a_restart_hold_their_slots() -> None:
    turns = Turns(Caps(installation=1), lambda _: None)
    turns.pod_changed(None, lines.pod(lines.request("a"), "Running"))
    assert turns.ask(lines.request("b", 1)) == (Full(caps.INSTALLATION, 1),)


def test_pods_of_nobody_hold_no_slot() -> None:
    turns = Turns(Caps(installation=1), lambda _: None)
    foreign = lines.pod(lines.request("a"), "Running")
    foreign["metadata"]["ownerReferences"] = []
    turns.pod_changed(None, foreign)
    assert turns.ask(lines.request("b", 1)) == ()


def test_jobs_that_a_quota_refused_are_called_in_order_as_many_as_may_fit() -> None:
    hall = Hall()
    hall.parks("old", TEAM)
    hall.parks("high", TEAM, priority=1)
    hall.parks("bobs", TEAM, owner="bob")
    hall.turns.call(TEAM, 2)
    hall._hear()
    assert hall.started == ["high", "bobs"]


def test_a_job_that_was_called_and_cannot_start_lets_the_next_look() -> None:
    woken: list[str] = []
    turns = Turns(Caps(), lambda key: woken.append(key.uid))
    for number, name in enumerate("abc"):
        turns.park(lines.request(name, number), TEAM)
    turns.call(TEAM, 1)
    turns.give_up("a")
    assert woken == ["a", "b"]
    turns.park(lines.request("b", 1), TEAM)
    assert woken == ["a", "b"]


def test_jobs_that_an_agents_sums_hold_look_again_when_a_pod_of_it_has_ended() -> None:
    hall = Hall()
    hall.comes("runs")
    hall.parks("waits", HELM)
    hall.ends("runs")
    assert hall.started == ["runs", "waits"]


def test_the_line_is_counted_by_workspace_and_queue() -> None:
    hall = Hall(Caps(installation=1))
    hall.comes("a")
    hall.comes("b", queue="nightly")
    hall.parks("c", TEAM)
    assert dict(hall.turns.lined()) == {("team", "nightly"): 1, ("team", "default"): 1}
    assert dict(hall.turns.running()) == {("team", "default"): 1}
    hall.leaves("b")
    hall.leaves("c")
    assert dict(hall.turns.lined()) == {}


@pytest.mark.parametrize("slots", [1, 4])
def test_ten_thousand_jobs_of_one_workspace_delay_another_one_by_one_turn(slots: int) -> None:
    hall = Hall(Caps(installation=slots))
    for number in range(10_000):
        hall.comes(f"crowd-{number:05}", workspace="crowded", priority=1000)
    hall.comes("single", workspace="quiet")
    assert "single" not in hall.started
    hall.ends(hall.started[0])
    assert hall.started[-1] == "single"


def test_of_many_workspaces_with_one_job_each_none_waits_for_a_second_job_of_another() -> None:
    hall = Hall(Caps(installation=1))
    for number in range(100):
        hall.comes(f"crowd-{number}", workspace="crowded")
    singles = [f"single-{number}" for number in range(10)]
    for name in singles:
        hall.comes(name, workspace=name)
    for _ in range(10):
        hall.ends(hall.started[-1])
    assert sorted(hall.started[1:11]) == singles


@given(slots=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_two_owners_who_both_wait_differ_by_one_slot_at_most(slots: int, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - which Job ends first
    hall = Hall(Caps(installation=slots))
    for number in range(60):
        hall.comes(f"ann-{number:02}", owner="ann")
    for number in range(60):
        hall.comes(f"bob-{number:02}", owner="bob")
    is_even = False
    for _ in range(50):
        hall.ends(chance.choice(sorted(hall.running)))
        held = Counter(name[:3] for name in hall.running)
        apart = abs(held["ann"] - held["bob"])
        is_even = is_even or apart <= 1
        assert apart <= 1 or not is_even
    assert is_even


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("weights", [(1, 1), (1, 4), (2, 3)], ids=str)
def test_in_the_long_run_each_workspace_has_slots_by_its_weight(
    slots: int, weights: tuple[int, int]
) -> None:
    chance = Random(slots)  # noqa: S311 - which Job ends first
    hall = Hall(Caps(installation=slots, weights=dict(zip("ab", weights, strict=True))))
    for number in range(800):
        hall.comes(f"a{number}", workspace="a")
        hall.comes(f"b{number}", workspace="b")
    held: Counter[str] = Counter()
    for _ in range(600):
        hall.ends(chance.choice(sorted(hall.running)))
        held += Counter(each.job.slot.workspace for each in hall.running.values())
    assert held["a"] / held.total() == pytest.approx(weights[0] / sum(weights), abs=0.06)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["comes", "comes", "comes", "ends", "ends", "leaves", "parks", "calls"]),
        SLOTS,
        st.integers(-3, 3),
        st.integers(0, 1000),
    ),
    max_size=80,
)
CAPS = st.builds(
    Caps,
    installation=st.none() | st.integers(1, 5),
    per_workspace=st.none() | st.integers(1, 3),
    by_queue=st.dictionaries(st.sampled_from(["default", "nightly"]), st.integers(1, 3)),
    weights=WEIGHTS,
)


@settings(max_examples=2 * settings().max_examples)
@given(bounds=CAPS, agent_jobs=st.integers(1, 3), steps=STEPS)
def test_no_cap_is_exceeded_and_no_slot_idles_while_a_job_could_have_it(
    bounds: Caps, agent_jobs: int, steps: list[tuple[str, Slot, int, int]]
) -> None:
    hall = Hall(bounds)
    parked: set[str] = set()
    for number, (step, slot, priority, pick) in enumerate(steps):
        _take(hall, parked, step, (f"j{number}", slot, priority, pick), agent_jobs)
        for scope in {each for job in _all(hall) for each in caps.scopes(job.job.slot)}:
            most = agent_jobs if scope.bound is Bound.AGENT else bounds.most(scope)
            assert most is None or hall.counts(scope) <= most
        for name, job in hall.waiting.items():
            assert name in parked or list(hall.turns.full(job.job.slot)), name
        running = Counter(
            (each.job.slot.workspace, each.job.slot.queue) for each in hall.running.values()
        )
        assert hall.turns.running() == running


def _all(hall: Hall) -> list[Request]:
    return [*hall.running.values(), *hall.waiting.values()]


def _take(
    hall: Hall, parked: set[str], step: str, what: tuple[str, Slot, int, int], agent_jobs: int
) -> None:
    name, slot, priority, pick = what
    owner = None if slot.owner.startswith("agent/") else slot.owner
    said = {
        "workspace": slot.workspace,
        "owner": owner,
        "queue": slot.queue,
        "agent": slot.agent,
        "priority": priority,
        "agent_jobs": agent_jobs,
    }
    if step == "comes":
        hall.comes(name, **said)
    elif step == "parks":
        parked.add(name)
        hall.parks(name, caps.of_workspace(slot.workspace), **said)
    elif step == "calls":
        parked -= {
            each for each, job in hall.waiting.items() if job.key.namespace == slot.workspace
        }
        hall.turns.call(caps.of_workspace(slot.workspace), 1000)
        hall._hear()
    elif step == "ends" and hall.running:
        hall.ends(sorted(hall.running)[pick % len(hall.running)])
    elif step == "leaves" and hall.waiting:
        gone = sorted(hall.waiting)[pick % len(hall.waiting)]
        parked.discard(gone)
        hall.leaves(gone)


@given(waiting_lines(), st.lists(SLOTS, max_size=9), WEIGHTS)
def test_slots_that_come_one_by_one_are_given_in_the_order_of_the_rule(
    waiting: list[Waiting], running: list[Slot], weights: dict[str, int]
) -> None:
    shares = Shares(Caps(weights=weights))
    for slot in running:
        shares.runs(slot)
    backlogs = {name: Backlog() for name in {each.slot.workspace for each in waiting}}
    for each in waiting:
        backlogs[each.slot.workspace].add(each)
    given_to = []

    def next_one() -> Waiting | None:
        firsts = (shares.first_of(each, lambda *_: True) for each in backlogs.values())
        return shares.first([each for each in firsts if each is not None])

    while (job := next_one()) is not None:
        backlogs[job.slot.workspace].remove(job)
        shares.serve(job.slot)
        shares.runs(job.slot)
        given_to.append(job)
    assert given_to == fairness.order(waiting, running, weights)


def test_what_shares_were_served_is_not_kept_for_ever() -> None:
    shares = Shares(Caps())
    for number in range(5000):
        slot = fairness.slot("team", "helm", "default", f"owner-{number}")
        shares.serve(slot)
        shares.runs(slot)
        shares.ends(slot)
    assert len(shares._served) <= 1002
