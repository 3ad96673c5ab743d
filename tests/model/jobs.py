"""What may happen to a Job: to its pods, its rows, its operators and their messages, in any order.

One operator leads; a former leader may go on beside it without knowing. At each step one request is
answered, or one thing happens outside. Faults are counted, so that there is an end to them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from coxswain.api.job import TERMINAL
from coxswain.reconcile import key
from coxswain.reconcile.act import Actor
from coxswain_controllers.job.room import JobRoom
from tests.model import forms, promises, serving
from tests.model.explore import Step
from tests.model.forms import Job, Pod, Row, Told
from tests.model.passes import Ask, Beginning, Over, Passes, Stop

KEY = key.of("Job", forms.job_raw(Job("{}", is_cancelled=False, most=1, version=1)))
ENDED = frozenset(phase.value for phase in TERMINAL)


class Operator(NamedTuple):
    """What one operator remembers, the answers that its pass has had, and whether it wants a pass."""

    memory: tuple[Any, ...]
    answers: tuple[Told, ...] | None = None
    """None: it makes no pass."""
    is_due: bool = True
    began: int = 0
    """When its pass began."""


class State(NamedTuple):
    """Everything at one moment."""

    job: Job
    pods: tuple[Pod, ...]
    rows: tuple[Row | None, ...]
    """One per attempt, the first one first."""
    born: tuple[int, ...]
    """How many pods each attempt has had."""
    leader: Operator
    former: Operator | None
    in_flight: Ask | None
    """What a dead operator asked for, on its way."""
    clock: int
    faults: int
    """How many may still happen."""
    may_cancel: bool


@dataclass(frozen=True)
class Bounds:
    """How much may happen."""

    attempts: int = 2
    faults: int = 1
    cancels: bool = True
    times_out: bool = True
    acts: bool = False
    """Whether the agent does what must not be done twice."""


@dataclass
class JobModel:
    """A Job under a room and an actor, which a test may pass in broken."""

    bounds: Bounds = field(default_factory=Bounds)
    room: Callable[[Any], Any] = JobRoom
    actor: Callable[..., Actor] = Actor

    def __post_init__(self) -> None:
        self.passes = Passes(
            Beginning(
                key=KEY,
                room=self.room,
                actor=self.actor,
                wire=serving.Wire,
                put=forms.put,
                form_of=forms.form_of,
                meaning=forms.meaning,
            )
        )

    def first(self) -> State:
        """The Job was just made, and the leader has listed it."""
        job = Job("{}", is_cancelled=False, most=self.bounds.attempts, version=1)
        return State(
            job=job,
            pods=(),
            rows=(),
            born=(),
            leader=Operator((job,)),
            former=None,
            in_flight=None,
            clock=0,
            faults=self.bounds.faults,
            may_cancel=self.bounds.cancels,
        )

    def check(self, state: State) -> None:
        """Every promise."""
        promises.check(state)

    def is_end(self, state: State) -> bool:
        """The Job has ended and nothing of it runs."""
        is_quiet = all(pod.is_over for pod in state.pods)
        return forms.phase_of(state.job.status) in ENDED and is_quiet

    def steps(self, state: State) -> Iterator[Step]:
        """What may happen next."""
        for found in self._all(state):
            after: Any = found.after
            promises.check_change(state, after)
            yield found._replace(after=canonical(after))

    def _all(self, state: State) -> Iterator[Step]:
        yield from self._of_operator(state, state.leader, "leader")
        if state.former is not None:
            yield from self._of_operator(state, state.former, "former")
            yield Step("the former leader finds out, and ends", state._replace(former=None))
        yield from _of_pods(state, self.bounds)
        yield from _of_people_and_time(state, self.bounds)
        if state.in_flight is not None:
            late, _ = serving.answer(state._replace(in_flight=None), state.in_flight, leads=False)
            yield Step(
                f"what the dead operator asked for comes late: {_ask(state.in_flight)}", late
            )
            yield Step("what the dead operator asked for is lost", state._replace(in_flight=None))
        if state.faults:
            yield from self._faults(state._replace(faults=state.faults - 1))

    def _of_operator(self, state: State, who: Operator, name: str) -> Iterator[Step]:
        if who.answers is None:
            if who.is_due:
                began = Operator(who.memory, (), is_due=False, began=state.clock)
                yield Step(f"the {name} begins a pass", self._on(state, name, began))
            yield from _news(state, who, name)
            return
        ask = self._stop(who)
        if isinstance(ask, Over):
            return
        after, told = serving.answer(state, ask, leads=name == "leader")
        yield Step(f"{_ask(ask)} of the {name}: {_told(told)}", self._goes_on(after, name, told))
        if not state.faults:
            return
        fewer = state._replace(faults=state.faults - 1)
        refused = self._goes_on(fewer, name, Told("error", "unavailable"))
        yield Step(f"{_ask(ask)} of the {name} is refused", refused, is_fault=True)
        if ask.verb in serving.WRITES:
            yield from self._write_goes_wrong(fewer, name, ask)

    def _write_goes_wrong(self, state: State, name: str, ask: Ask) -> Iterator[Step]:
        leads = name == "leader"
        done, _ = serving.answer(state, ask, leads=leads)
        lost = self._goes_on(done, name, Told("error", "lost"))
        yield Step(f"{_ask(ask)} of the {name} is done, the answer is lost", lost, is_fault=True)
        twice, told = serving.answer(done, ask, leads=leads)
        repeated = self._goes_on(twice, name, told)
        text = f"{_ask(ask)} of the {name} arrives twice, the second answer counts: {_told(told)}"
        yield Step(text, repeated, is_fault=True)

    def _goes_on(self, state: State, name: str, told: Told) -> State:
        """An operator has an answer, and stands at its next request or is done."""
        who = state.leader if name == "leader" else state.former
        assert who is not None
        assert who.answers is not None
        who = who._replace(answers=(*who.answers, told))
        stop = self._stop(who)
        if not isinstance(stop, Over):
            return self._on(state, name, who)
        if stop.is_fenced:
            return state._replace(former=None)
        # Of a pod that a pass has forgotten the event is still to come.
        forgotten = {forms.place_of(each) for each in who.memory} - {
            forms.place_of(each) for each in stop.memory
        }
        is_due = who.is_due or stop.wants_more or bool(forgotten)
        return self._on(state, name, Operator(stop.memory, None, is_due))

    def _on(self, state: State, name: str, who: Operator) -> State:
        """The same with another leader or former one; a pass without a request is over at once."""
        if who.answers == ():
            stop = self._stop(who)
            if isinstance(stop, Over):
                who = Operator(stop.memory, None, who.is_due or stop.wants_more)
        return _with(state, name, who)

    def _faults(self, state: State) -> Iterator[Step]:
        fresh = Operator((state.job, *state.pods))
        started = state._replace(leader=fresh)
        yield Step("the leader is killed and another one leads", started, is_fault=True)
        waits = self._waits_for(state)
        if waits is not None and waits.verb in serving.WRITES and state.in_flight is None:
            text = "the leader is killed, its request is on its way, and another one leads"
            yield Step(text, started._replace(in_flight=waits), is_fault=True)
        if state.former is None:
            frozen = started._replace(former=state.leader)
            yield Step("another one leads, and the leader does not know it", frozen, is_fault=True)
        old = Operator(state.leader.memory)
        if old.memory != fresh.memory:
            text = "the leader is killed; the next one's list is as old as what it knew"
            yield Step(text, state._replace(leader=old), is_fault=True)
        if state.leader.answers is None and not state.leader.is_due:
            again = state._replace(leader=state.leader._replace(is_due=True))
            yield Step("an old event comes again", again, is_fault=True)
        for pod in state.pods:
            left = tuple(each for each in state.pods if each is not pod)
            yield Step(f"{_pod(pod)} vanishes", state._replace(pods=left), is_fault=True)
            if not pod.is_deleting and not pod.is_over:
                gone = serving.changed(state, pod, is_deleting=True)
                yield Step(f"somebody deletes {_pod(pod)}", gone, is_fault=True)

    def _waits_for(self, state: State) -> Ask | None:
        if state.leader.answers is None:
            return None
        found = self._stop(state.leader)
        return None if isinstance(found, Over) else found

    def _stop(self, who: Operator) -> Stop:
        return self.passes.stop(who.memory, who.answers or (), forms.clock(who.began))

    def told(self, state: State) -> str:
        """The state in one line."""
        found = forms.status_of(state.job)
        attempts = ", ".join(
            f"{each['number']}:{each.get('outcome') or 'open'}"
            for each in found.get("attempts") or ()
        )
        rows = ", ".join(
            f"{number}:{_row(row)}"
            for number, row in enumerate(state.rows, start=1)
            if row is not None
        )
        parts = [f"Job {found.get('phase') or 'new'} [{attempts}]", f"rows [{rows}]"]
        parts.append(f"pods [{', '.join(_pod(pod) for pod in state.pods)}]")
        if state.job.is_cancelled:
            parts.append("cancelled")
        return "; ".join(parts)


def _with(state: State, name: str, who: Operator) -> State:
    return state._replace(leader=who) if name == "leader" else state._replace(former=who)


def _news(state: State, who: Operator, name: str) -> Iterator[Step]:
    """One event reaches an operator: what it knows of one object is what is."""
    live: dict[Any, Any] = {forms.place_of(each): each for each in (state.job, *state.pods)}
    known = {forms.place_of(each): each for each in who.memory}
    for place in sorted(live.keys() | known.keys(), key=repr):
        is_now, was = live.get(place), known.get(place)
        if is_now == was:
            continue
        left = [each for each in who.memory if forms.place_of(each) != place]
        memory = tuple(sorted([*left, *([] if is_now is None else [is_now])], key=repr))
        told = Operator(memory, None, is_due=True)
        what = "the Job" if place == ("Job",) else f"pod {place[0]}"
        yield Step(f"the {name} hears of {what}", _with(state, name, told))


def _of_pods(state: State, bounds: Bounds) -> Iterator[Step]:
    for pod in state.pods:
        if pod.is_deleting:
            left = tuple(each for each in state.pods if each is not pod)
            yield Step(f"{_pod(pod)} is gone", state._replace(pods=left))
        if pod.phase == "Pending" and not pod.is_deleting:
            yield Step(
                f"{_pod(pod)} runs",
                serving.changed(state, pod, phase="Running", since=state.clock),
            )
        if pod.phase == "Running":
            yield from _of_agent(state, pod, bounds)


def _of_agent(state: State, pod: Pod, bounds: Bounds) -> Iterator[Step]:
    number = pod.attempt
    row = state.rows[number - 1] if number <= len(state.rows) else None
    if row is None or row.closed is not None or row.pod_uid not in (None, pod.uid):
        # Its claim is refused, or what it says bounces: it ends.
        yield Step(f"{_pod(pod)} is refused and ends", _over(state, pod, "Failed"))
        return
    if row.pod_uid is None:
        claimed = row._replace(pod_uid=pod.uid, heard_at=state.clock)
        yield Step(f"{_pod(pod)} claims its run", serving.with_row(state, number, claimed))
        return
    if row.result is not None:
        word = "Succeeded" if row.result == "succeeded" else "Failed"
        yield Step(f"{_pod(pod)} ends", _over(state, pod, word))
        return
    for word in ("succeeded", "failed"):
        posted = serving.with_row(state, number, row._replace(result=word, act=False))
        yield Step(f"{_pod(pod)} posts its result: {word}", posted)
    yield Step(f"{_pod(pod)} ends without a result", _over(state, pod, "Failed"))
    if bounds.acts and not row.act:
        yield Step(
            f"{_pod(pod)} begins an act", serving.with_row(state, number, row._replace(act=True))
        )


def _over(state: State, pod: Pod, phase: str) -> State:
    over: State = serving.changed(state, pod, phase=phase, over_at=state.clock)
    return over


def _of_people_and_time(state: State, bounds: Bounds) -> Iterator[Step]:
    if state.may_cancel and forms.phase_of(state.job.status) not in ENDED:
        job = state.job._replace(is_cancelled=True, version=state.job.version + 1)
        yield Step("somebody cancels the Job", state._replace(job=job, may_cancel=False))
    if bounds.times_out and state.clock == 0:
        # Whoever waits for a time is due; a pass that is under way is not.
        leader = state.leader._replace(is_due=True)
        yield Step("ten days pass", state._replace(clock=1, leader=leader))


def canonical(state: State) -> State:
    """The same state with the versions of each object numbered from 1."""
    new = forms.versions(_forms(state))
    flying = state.in_flight
    if flying is not None and flying.version not in (None, state.job.version):
        # What names another version than the present one is refused whenever it comes.
        state = state._replace(in_flight=None)
    if all(old == number for found in new.values() for old, number in found.items()):
        return _sorted(state)

    def renew(form: Any) -> Any:
        return form._replace(version=new[forms.place_of(form)][form.version])

    def of(who: Operator) -> Operator:
        answers = who.answers and tuple(
            Told(each.sort, renew(each.what)) if each.sort in ("job", "pod") else each
            for each in who.answers
        )
        return who._replace(memory=tuple(renew(each) for each in who.memory), answers=answers)

    flying = state.in_flight
    if flying is not None and flying.version is not None:
        flying = flying._replace(version=renew(state.job).version)
    return _sorted(
        state._replace(
            job=renew(state.job),
            pods=tuple(renew(each) for each in state.pods),
            leader=of(state.leader),
            former=None if state.former is None else of(state.former),
            in_flight=flying,
        )
    )


def _sorted(state: State) -> State:
    return state._replace(pods=tuple(sorted(state.pods)))


def _forms(state: State) -> Iterator[Any]:
    yield state.job
    yield from state.pods
    for who in (state.leader, state.former):
        if who is not None:
            yield from who.memory
            yield from (each.what for each in who.answers or () if each.sort in ("job", "pod"))


def _pod(pod: Pod) -> str:
    again = f" (the {pod.born}. of its name)" if pod.born > 1 else ""
    return f"pod {pod.attempt}{again} {pod.phase}{' deleting' if pod.is_deleting else ''}"


def _row(row: Row) -> str:
    words = [f"token {row.token}", "claimed" if row.pod_uid else "unclaimed"]
    words += [word for word in (row.result, row.closed and f"closed {row.closed}") if word]
    return " ".join(words)


def _ask(ask: Ask) -> str:
    return f"{ask.verb} {ask.name}"


def _told(told: Told) -> str:
    if told.sort == "row":
        return "no row" if told.what is None else _row(told.what[1])
    return str(told.what) if told.sort in ("error", "word") else f"the {told.sort}"
