"""Operators over a state: how their passes go on, what they hear, and what goes wrong with them.

A state has ``leader``, ``former`` (who does not know that it leads no more), ``in_flight`` (what a dead
operator asked for, on its way), ``clock`` and ``faults`` (how many may still happen).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from tests.model import forms
from tests.model.explore import Step
from tests.model.forms import Told
from tests.model.passes import Ask, Over, Passes, Stop

Renew = Callable[[Any], Any]
OBJECTS = ("job", "pod", "lease")
"""Answers that are forms of objects, and so have a version."""


class Operator(NamedTuple):
    """What one operator remembers, the answers that its pass has had, and whether it wants a pass."""

    memory: tuple[Any, ...]
    answers: tuple[Told, ...] | None = None
    """None: it makes no pass."""
    is_due: bool = True
    began: int = 0
    """When its pass began."""


@dataclass(frozen=True)
class Operators:
    """Steps of the operators of a model."""

    passes: Passes
    answer: Callable[..., tuple[Any, Told]]
    """What a request changes and what is answered: (state, request, leads=)."""
    live: Callable[[Any], tuple[Any, ...]]
    """The objects of a state as they are."""
    writes: tuple[str, ...]
    """Requests that change something."""

    def steps(self, state: Any) -> Iterator[Step]:
        """What may happen with them that is no fault, and what may go wrong with one request."""
        yield from self._of_one(state, state.leader, "leader")
        if state.former is not None:
            yield from self._of_one(state, state.former, "former")
            yield Step("the former leader finds out, and ends", state._replace(former=None))
        if state.in_flight is not None:
            late, _ = self.answer(state._replace(in_flight=None), state.in_flight, leads=False)
            yield Step(
                f"what the dead operator asked for comes late: {_ask(state.in_flight)}", late
            )
            yield Step("what the dead operator asked for is lost", state._replace(in_flight=None))

    def faults(self, state: Any) -> Iterator[Step]:
        """What may go wrong with an operator as a whole; the state has one fault less already."""
        fresh = Operator(self.live(state))
        started = state._replace(leader=fresh)
        yield Step("the leader is killed and another one leads", started, is_fault=True)
        waits = self._waits_for(state)
        if waits is not None and waits.verb in self.writes and state.in_flight is None:
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

    def _of_one(self, state: Any, who: Operator, name: str) -> Iterator[Step]:
        if who.answers is None:
            if who.is_due:
                began = Operator(who.memory, (), is_due=False, began=state.clock)
                yield Step(f"the {name} begins a pass", self._on(state, name, began))
            yield from self._news(state, who, name)
            return
        ask = self._stop(who)
        if isinstance(ask, Over):
            return
        after, told = self.answer(state, ask, leads=name == "leader")
        yield Step(f"{_ask(ask)} of the {name}: {told.text}", self._goes_on(after, name, told))
        if not state.faults:
            return
        fewer = state._replace(faults=state.faults - 1)
        refused = self._goes_on(fewer, name, Told("error", "unavailable"))
        yield Step(f"{_ask(ask)} of the {name} is refused", refused, is_fault=True)
        if ask.verb in self.writes:
            yield from self._write_goes_wrong(fewer, name, ask)

    def _write_goes_wrong(self, state: Any, name: str, ask: Ask) -> Iterator[Step]:
        leads = name == "leader"
        done, _ = self.answer(state, ask, leads=leads)
        lost = self._goes_on(done, name, Told("error", "lost"))
        yield Step(f"{_ask(ask)} of the {name} is done, the answer is lost", lost, is_fault=True)
        twice, told = self.answer(done, ask, leads=leads)
        repeated = self._goes_on(twice, name, told)
        text = f"{_ask(ask)} of the {name} arrives twice, the second answer counts: {told.text}"
        yield Step(text, repeated, is_fault=True)

    def _goes_on(self, state: Any, name: str, told: Told) -> Any:
        """An operator has an answer, and stands at its next request or is done."""
        who = state.leader if name == "leader" else state.former
        who = who._replace(answers=(*who.answers, told))
        stop = self._stop(who)
        if not isinstance(stop, Over):
            return self._on(state, name, who)
        if stop.is_fenced:
            return state._replace(former=None)
        # Of a pod that a pass has forgotten the event is still to come.
        left: set[Any] = {each.place for each in cast("tuple[Any, ...]", stop.memory)}
        forgotten = {each.place for each in who.memory} - left
        is_due = who.is_due or stop.wants_more or bool(forgotten)
        return self._on(state, name, Operator(stop.memory, None, is_due))

    def _on(self, state: Any, name: str, who: Operator) -> Any:
        """The same with another leader or former one; a pass without a request is over at once."""
        if who.answers == ():
            stop = self._stop(who)
            if isinstance(stop, Over):
                who = Operator(stop.memory, None, who.is_due or stop.wants_more)
        return _with(state, name, who)

    def _waits_for(self, state: Any) -> Ask | None:
        if state.leader.answers is None:
            return None
        found = self._stop(state.leader)
        return None if isinstance(found, Over) else found

    def _stop(self, who: Operator) -> Stop:
        return self.passes.stop(who.memory, who.answers or (), forms.clock(who.began))

    def _news(self, state: Any, who: Operator, name: str) -> Iterator[Step]:
        """One event reaches an operator: what it knows of one object is what is."""
        live = {each.place: each for each in self.live(state)}
        known = {each.place: each for each in who.memory}
        for place in sorted(live.keys() | known.keys(), key=repr):
            is_now = live.get(place)
            if is_now == known.get(place):
                continue
            left = [each for each in who.memory if each.place != place]
            memory = tuple(sorted([*left, *([] if is_now is None else [is_now])], key=repr))
            told = Operator(memory, None, is_due=True)
            what = " ".join(str(each) for each in place[:2])
            yield Step(f"the {name} hears of {what}", _with(state, name, told))


def renumbered(state: Any, live: tuple[Any, ...]) -> tuple[Any, Renew]:
    """The state with what its operators know in versions from 1, and how to renew its own objects."""
    new = _versions([*live, *_known(state)])

    def renew(form: Any) -> Any:
        return form._replace(version=new[form.place][form.version])

    flying, object_now = state.in_flight, live[0]
    if flying is not None and flying.version is not None:
        # What names another version than the present one is refused whenever it comes.
        is_late = flying.version != object_now.version
        flying = None if is_late else flying._replace(version=renew(object_now).version)
    if all(old == number for found in new.values() for old, number in found.items()):
        return (state if flying == state.in_flight else state._replace(in_flight=flying)), _same
    leader = _renewed(state.leader, renew)
    former = None if state.former is None else _renewed(state.former, renew)
    return state._replace(leader=leader, former=former, in_flight=flying), renew


def _same(form: Any) -> Any:
    return form


def _renewed(who: Operator, renew: Renew) -> Operator:
    answers = who.answers and tuple(
        Told(each.sort, renew(each.what)) if each.sort in OBJECTS else each for each in who.answers
    )
    return who._replace(memory=tuple(renew(each) for each in who.memory), answers=answers)


def _known(state: Any) -> Iterator[Any]:
    for who in (state.leader, state.former):
        if who is not None:
            yield from who.memory
            yield from (each.what for each in who.answers or () if each.sort in OBJECTS)


def _versions(found: list[Any]) -> dict[tuple[Any, ...], dict[int, int]]:
    """For each object its versions, numbered anew in their order."""
    known: dict[tuple[Any, ...], set[int]] = {}
    for form in found:
        known.setdefault(form.place, set()).add(form.version)
    return {
        place: {version: number for number, version in enumerate(sorted(each), start=1)}
        for place, each in known.items()
    }


def _with(state: Any, name: str, who: Operator) -> Any:
    return state._replace(leader=who) if name == "leader" else state._replace(former=who)


def _ask(ask: Ask) -> str:
    return f"{ask.verb} {ask.name}"
