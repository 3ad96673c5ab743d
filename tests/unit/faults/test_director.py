"""Which fault is due when: counted over replicas and restarts, as often and as long as a plan says."""

from tests.faults.director import Director
from tests.faults.plan import Commit, Deed, Event, Fault, Request
from tests.faults.proxy.targets import Target

PODS = Target("create", "pods", "team", "j-1")
STATUS = Target("patch", "jobs/status", "team", "j")
RENEWAL = Target("update", "leases.coordination.k8s.io", "home", "coxswain")


class Clock:
    """Seconds that somebody sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _kill(**more: object) -> Fault:
    return Fault.model_validate({"request": Request(), "do": Deed.KILL, **more})


def test_a_fault_comes_true_at_the_nth_of_what_it_waits_for_and_once() -> None:
    director = Director((_kill(request=Request(verb="create", resource="pods", nth=2)),), Clock())
    due = [director.on_request("one", each) for each in (PODS, STATUS, PODS, PODS)]
    assert [each is not None for each in due] == [False, False, True, False]
    assert director.waiting == []


def test_it_counts_over_replicas_unless_it_names_one() -> None:
    any_of_them = Director((_kill(request=Request(nth=2)),), Clock())
    assert any_of_them.on_request("one", PODS) is None
    assert any_of_them.on_request("two", PODS) is not None
    one = Director((_kill(request=Request(nth=2), replica="one"),), Clock())
    assert [one.on_request(each, PODS) for each in ("one", "two")] == [None, None]
    assert one.on_request("one", PODS) is not None


def test_a_fault_of_the_leader_stays_with_the_one_that_led_when_it_came_true() -> None:
    director = Director((_kill(replica="leader", times=3),), Clock())
    assert director.on_request("one", PODS) is None
    director.leads("one")
    assert director.on_request("two", PODS) is None
    assert director.on_request("one", PODS) is not None
    director.leads("two")
    assert director.on_request("two", PODS) is None
    assert director.on_request("one", PODS) is not None


def test_a_fault_of_the_standby_is_that_of_whoever_does_not_lead() -> None:
    director = Director((_kill(replica="standby"),), Clock())
    assert director.on_request("two", PODS) is None
    director.leads("one")
    assert director.on_request("one", PODS) is None
    assert director.on_request("two", PODS) is not None


def test_the_sidecar_has_only_the_faults_that_name_it() -> None:
    director = Director((_kill(), _kill(replica="sidecar")), Clock())
    assert director.on_request("sidecar", STATUS) is director._armed[1].fault
    assert director.on_request("sidecar", STATUS) is None
    assert director.on_request("one", STATUS) is director._armed[0].fault


def test_the_sidecar_is_no_standby() -> None:
    director = Director((_kill(replica="standby"),), Clock())
    director.leads("one")
    assert director.on_request("sidecar", PODS) is None


def test_leader_election_is_no_write_unless_it_is_asked_for() -> None:
    assert Director((_kill(),), Clock()).on_request("one", RENEWAL) is None
    asked = _kill(request=Request(verb="update", resource=RENEWAL.resource))
    assert Director((asked,), Clock()).on_request("one", RENEWAL) is not None


def test_it_comes_true_so_often() -> None:
    director = Director((_kill(times=2),), Clock())
    due = [director.on_request("one", PODS) is not None for _ in range(4)]
    assert due == [True, True, False, False]


def test_it_comes_true_for_so_long() -> None:
    clock = Clock()
    director = Director((_kill(lasts=5),), clock)
    due = []
    for clock.now in (10.0, 14.9, 15.0, 20.0):
        due.append(director.on_request("one", PODS) is not None)
    assert due == [True, True, False, False]


def test_of_two_that_are_due_the_first_has_it_and_both_have_counted() -> None:
    director = Director((_kill(), _kill(request=Request(nth=2))), Clock())
    assert director.on_request("one", PODS) is director._armed[0].fault
    assert director.on_request("one", PODS) is director._armed[1].fault


def test_what_comes_then_counts_from_the_fault_before_it() -> None:
    first = _kill(request=Request(verb="create", nth=2))
    director = Director((first, _kill(then=True)), Clock())
    due = [director.on_request("one", each) for each in (STATUS, PODS, STATUS, PODS, STATUS)]
    assert [each is not None and each.then for each in due] == [False, False, False, False, True]
    assert due[3] is first


def test_what_never_came_is_told() -> None:
    fault = _kill(request=Request(verb="delete"))
    director = Director((fault,), Clock())
    director.on_request("one", PODS)
    assert director.waiting == [fault]


def test_the_last_one_is_over_when_what_it_stopped_goes_on() -> None:
    clock = Clock()
    frozen = Fault(event=Event(resource="pods"), do=Deed.FREEZE, seconds=8)
    director = Director((frozen,), clock)
    clock.now = 3.0
    director.on_event("one", "pods", "ADDED", "j-1")
    assert director.last_at == 11.0


def test_after_the_healing_nothing_comes_true() -> None:
    director = Director((_kill(),), Clock())
    director.heal()
    assert director.on_request("one", PODS) is None


def test_an_event_is_known_by_its_resource_and_type() -> None:
    fault = Fault(event=Event(resource="pods", type="DELETED"), do=Deed.DROP)
    director = Director((fault,), Clock())
    assert director.on_event("one", "pods", "ADDED", "j-1") is None
    assert director.on_event("one", "jobs", "DELETED", "j") is None
    assert director.on_event("one", "pods", "DELETED", "j-1") is fault


def test_a_commit_is_known_by_words_of_its_sql() -> None:
    fault = Fault(commit=Commit(words="INTO runs"), do=Deed.LOSE, when="after")
    director = Director((fault,), Clock())
    assert director.on_commit("one", "INSERT INTO mirror VALUES ($1)") is None
    assert director.on_commit("one", "INSERT INTO runs VALUES ($1)") is fault
