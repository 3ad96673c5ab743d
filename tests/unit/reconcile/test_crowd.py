"""The lines before Agents: by age, one place per Job, and a slot that is taken is seen."""

from coxswain.reconcile.crowd import Crowds, Line, Place
from coxswain.reconcile.key import Key

LINE = Line("team", "helm")
OTHER = Line("team", "mast")
ABROAD = Line("abroad", "helm")


def place(name: str, second: int, workspace: str = "team") -> Place:
    return Place(f"2026-11-21T03:00:{second:02}Z", f"u-{name}", Key("Job", workspace, name, name))


def shown(keys: list[Key]) -> str:
    return "".join(each.name for each in keys)


def test_the_older_goes_first_whoever_asked_first() -> None:
    crowds = Crowds()
    for each in (place("c", 3), place("a", 1), place("b", 2)):
        crowds.wait(LINE, each)
    assert shown(crowds.next(LINE, 2)) == "ab"
    assert [crowds.ahead(LINE, place(name, at)) for name, at in (("a", 1), ("c", 3))] == [0, 2]


def test_of_the_same_age_the_uid_decides() -> None:
    crowds = Crowds()
    for each in (place("b", 1), place("a", 1)):
        crowds.wait(LINE, each)
    assert shown(crowds.next(LINE, 9)) == "ab"


def test_a_job_stands_once_and_in_one_line() -> None:
    crowds = Crowds()
    crowds.wait(LINE, place("a", 1))
    crowds.wait(LINE, place("a", 1))
    crowds.wait(OTHER, place("a", 1))
    assert shown(crowds.next(LINE, 9)) == "a"
    assert crowds.next(OTHER, 9) == []


def test_whoever_leaves_is_no_longer_ahead() -> None:
    crowds = Crowds()
    crowds.wait(LINE, place("a", 1))
    crowds.wait(LINE, place("b", 2))
    assert crowds.leave("u-a")
    assert not crowds.leave("u-a")
    assert crowds.ahead(LINE, place("b", 2)) == 0
    crowds.wait(OTHER, place("a", 1))
    assert shown(crowds.next(OTHER, 9)) == "a"


def test_a_slot_is_held_until_the_pod_is_made() -> None:
    crowds = Crowds()
    crowds.take(LINE, "u-a", "pod-a")
    crowds.take(LINE, "u-b", "pod-b")
    assert crowds.taking(LINE) == {"u-a": "pod-a", "u-b": "pod-b"}
    assert crowds.taking(OTHER) == {}
    assert crowds.settle("u-a")
    assert not crowds.settle("u-a")
    assert crowds.taking(LINE) == {"u-b": "pod-b"}


def test_a_job_that_takes_its_slot_twice_holds_one() -> None:
    crowds = Crowds()
    crowds.take(LINE, "u-a", "pod-a-1")
    crowds.take(LINE, "u-a", "pod-a-2")
    assert crowds.taking(LINE) == {"u-a": "pod-a-2"}
    crowds.settle("u-a")
    assert crowds.taking(LINE) == {}


def test_a_workspace_is_served_over_all_its_lines_by_age() -> None:
    crowds = Crowds()
    crowds.wait(LINE, place("c", 3))
    crowds.wait(OTHER, place("a", 1))
    crowds.wait(LINE, place("b", 2))
    crowds.wait(ABROAD, place("z", 0, "abroad"))
    assert shown(crowds.next_in("team", 2)) == "ab"
    assert shown(crowds.next_in("abroad", 2)) == "z"
