"""Every state that can be reached, nearest first; and the story of one that must not be.

A state is a tuple of parts. Parts are kept once and numbered, so a state that was seen is a few numbers.
"""

import itertools
import time
from array import array
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

MOST = 10_000_000


class Step(NamedTuple):
    """One thing that may happen next."""

    said: str
    after: tuple[Any, ...]
    is_fault: bool = False
    """Faults need not happen; all else goes on until it cannot."""


class BrokenError(AssertionError):
    """A promise does not hold after a step."""


class Model(Protocol):
    """What is explored."""

    def first(self) -> tuple[Any, ...]:
        """The state in which all begins."""

    def steps(self, state: Any) -> Iterable[Step]:
        """What may happen in a state. Raises BrokenError where the program itself does wrong."""

    def check(self, state: Any) -> None:
        """Raise BrokenError where a promise does not hold."""

    def is_end(self, state: Any) -> bool:
        """Whether this is how it should end."""

    def told(self, state: Any) -> str:
        """A state in one line."""


@dataclass(frozen=True)
class Found:
    """What an exploration came to."""

    states: int
    steps: int
    seconds: float
    is_whole: bool
    """Whether there is no state beyond."""
    ends: int
    problem: str | None = None
    story: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For people."""
        size = "all" if self.is_whole else "the nearest"
        first = f"{size} {self.states:,} states, {self.steps:,} steps, {self.ends:,} ends,"
        lines = [f"{first} {self.seconds:.1f} s"]
        if self.problem is not None:
            lines += [f"BROKEN: {self.problem}", *self.story]
        return "\n".join(lines)


@dataclass
class Explorer:
    """One exploration; ``most`` bounds the states that are looked at."""

    model: Model
    most: int = MOST
    parts: dict[Hashable, int] = field(default_factory=dict)
    by_number: list[Any] = field(default_factory=list)
    numbers: dict[tuple[int, ...], int] = field(default_factory=dict)
    states: list[tuple[int, ...]] = field(default_factory=list)
    parents: "array[int]" = field(default_factory=lambda: array("l"))
    edges: "tuple[array[int], array[int]]" = field(default_factory=lambda: (array("l"), array("l")))
    ends: list[int] = field(default_factory=list)
    taken: int = 0

    def run(self) -> Found:
        """Look at all of it, or at the nearest ``most`` states."""
        began = time.monotonic()
        first = self.model.first()
        self._sort = type(first)
        self._number(first, parent=-1)
        at = 0
        while at < len(self.states) and at < self.most:
            try:
                self._look(at)
            except BrokenError as error:
                return self._found(began, at, str(error), self._story(at, str(error)))
            at += 1
        stuck = self._stuck(at)
        if stuck is not None:
            text = "it never ends from here, whatever happens next but faults"
            return self._found(began, at, text, self._story(stuck, text))
        return self._found(began, at)

    def _look(self, at: int) -> None:
        state = self._state(at)
        self.model.check(state)
        if self.model.is_end(state):
            self.ends.append(at)
        for step in self.model.steps(state):
            self.taken += 1
            after = self._number(step.after, parent=at)
            if not step.is_fault:
                self.edges[0].append(at)
                self.edges[1].append(after)

    def _number(self, state: tuple[Any, ...], parent: int) -> int:
        packed = tuple(self._part(each) for each in state)
        known = self.numbers.get(packed)
        if known is None:
            known = self.numbers[packed] = len(self.states)
            self.states.append(packed)
            self.parents.append(parent)
        return known

    def _part(self, part: Hashable) -> int:
        # A form of one sort must not be taken for an equal one of another.
        number = self.parts.get((type(part), part))
        if number is None:
            number = self.parts[type(part), part] = len(self.by_number)
            self.by_number.append(part)
        return number

    def _state(self, number: int) -> Any:
        return self._sort(*(self.by_number[each] for each in self.states[number]))

    def _stuck(self, looked_at: int) -> int | None:
        """The nearest state that leads to no end; one that was not looked at may lead anywhere."""
        starts, sources = self._backwards()
        good = bytearray(len(self.states))
        todo = [*self.ends, *range(looked_at, len(self.states))]
        for each in todo:
            good[each] = 1
        while todo:
            at = todo.pop()
            for each in sources[starts[at] : starts[at + 1]]:
                if not good[each]:
                    good[each] = 1
                    todo.append(each)
        bad = good.find(0)
        return None if bad < 0 else bad

    def _backwards(self) -> "tuple[array[int], array[int]]":
        """From where each state is reached: those of state n stand from starts[n] to starts[n + 1]."""
        starts = array("l", bytes(8 * (len(self.states) + 2)))
        for target in self.edges[1]:
            starts[target + 2] += 1
        for at in range(2, len(starts)):
            starts[at] += starts[at - 1]
        sources = array("l", bytes(8 * len(self.edges[0])))
        for source, target in zip(*self.edges, strict=True):
            sources[starts[target + 1]] = source
            starts[target + 1] += 1
        return starts, sources

    def _found(
        self, began: float, looked_at: int, problem: str | None = None, story: Iterable[str] = ()
    ) -> Found:
        return Found(
            states=looked_at,
            steps=self.taken,
            seconds=time.monotonic() - began,
            is_whole=looked_at >= len(self.states),
            ends=len(self.ends),
            problem=problem,
            story=tuple(story),
        )

    def _story(self, at: int, problem: str) -> Iterator[str]:
        """How it came to a state, a line for each step, and what is so then."""
        way = [at]
        while self.parents[way[-1]] >= 0:
            way.append(self.parents[way[-1]])
        way.reverse()
        yield f"  0. it begins: {self.model.told(self._state(way[0]))}"
        for number, (before, after) in enumerate(itertools.pairwise(way), start=1):
            yield f"{number:3}. {self._said(before, after)}"
            yield f"     {self.model.told(self._state(after))}"
        yield f"     then: {problem}"

    def _said(self, before: int, after: int) -> str:
        wanted = self.states[after]
        for step in self.model.steps(self._state(before)):
            if tuple(self._part(each) for each in step.after) == wanted:
                return step.said + (" (fault)" if step.is_fault else "")
        return "?"
