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
from tests.model.forms import Job, Pod, Row
from tests.model.operators import Operator, Operators, renumbered
from tests.model.passes import Ask, Beginning, Passes

KEY = key.of("Job", forms.job_raw(Job("{}", is_cancelled=False, most=1, version=1)))
ENDED = frozenset(phase.value for phase in TERMINAL)


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
        beginning = Beginning(
            key=KEY,
            room=self.room,
            actor=self.actor,
            wire=serving.Wire,
            put=forms.put,
            form_of=forms.form_of,
            meaning=forms.meaning,
        )
        self.passes = Passes(beginning)
        self.operators = Operators(self.passes, serving.answer, _live, serving.WRITES)

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
        yield from self.operators.steps(state)
        yield from _of_pods(state, self.bounds)
        yield from _of_people_and_time(state, self.bounds)
        if state.faults:
            yield from self._faults(state._replace(faults=state.faults - 1))

    def _faults(self, state: State) -> Iterator[Step]:
        yield from self.operators.faults(state)
        for pod in state.pods:
            left = tuple(each for each in state.pods if each is not pod)
            yield Step(f"{pod.text} vanishes", state._replace(pods=left), is_fault=True)
            if not pod.is_deleting and not pod.is_over:
                gone = serving.changed(state, pod, is_deleting=True)
                yield Step(f"somebody deletes {pod.text}", gone, is_fault=True)

    def told(self, state: State) -> str:
        """The state in one line."""
        found = forms.status_of(state.job)
        attempts = ", ".join(
            f"{each['number']}:{each.get('outcome') or 'open'}"
            for each in found.get("attempts") or ()
        )
        rows = ", ".join(
            f"{number}:{row.text}"
            for number, row in enumerate(state.rows, start=1)
            if row is not None
        )
        parts = [f"Job {found.get('phase') or 'new'} [{attempts}]", f"rows [{rows}]"]
        parts.append(f"pods [{', '.join(pod.text for pod in state.pods)}]")
        if state.job.is_cancelled:
            parts.append("cancelled")
        return "; ".join(parts)


def _of_pods(state: State, bounds: Bounds) -> Iterator[Step]:
    for pod in state.pods:
        if pod.is_deleting:
            left = tuple(each for each in state.pods if each is not pod)
            yield Step(f"{pod.text} is gone", state._replace(pods=left))
        if pod.phase == "Pending" and not pod.is_deleting:
            yield Step(
                f"{pod.text} runs",
                serving.changed(state, pod, phase="Running", since=state.clock),
            )
        if pod.phase == "Running":
            yield from _of_agent(state, pod, bounds)


def _of_agent(state: State, pod: Pod, bounds: Bounds) -> Iterator[Step]:
    number = pod.attempt
    row = state.rows[number - 1] if number <= len(state.rows) else None
    if row is None or row.closed is not None or row.pod_uid not in (None, pod.uid):
        # Its claim is refused, or what it says bounces: it ends.
        yield Step(f"{pod.text} is refused and ends", _over(state, pod, "Failed"))
        return
    if row.pod_uid is None:
        claimed = row._replace(pod_uid=pod.uid, heard_at=state.clock)
        yield Step(f"{pod.text} claims its run", serving.with_row(state, number, claimed))
        return
    if row.result is not None:
        word = "Succeeded" if row.result == "succeeded" else "Failed"
        yield Step(f"{pod.text} ends", _over(state, pod, word))
        return
    for word in ("succeeded", "failed"):
        posted = serving.with_row(state, number, row._replace(result=word, act=False))
        yield Step(f"{pod.text} posts its result: {word}", posted)
    yield Step(f"{pod.text} ends without a result", _over(state, pod, "Failed"))
    if bounds.acts and not row.act:
        yield Step(
            f"{pod.text} begins an act", serving.with_row(state, number, row._replace(act=True))
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
    known: State
    known, renew = renumbered(state, _live(state))
    pods = tuple(sorted(renew(each) for each in state.pods))
    return known._replace(job=renew(state.job), pods=pods)


def _live(state: State) -> tuple[Any, ...]:
    return (state.job, *state.pods)
