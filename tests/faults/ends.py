"""How a workload has to end, whatever went wrong: said by itself, so that a plan needs no other run beside it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.history import Body, Breach, History


def ended(phase: str, *outcomes: str, is_gone: bool = False) -> "End":
    """The end of a Job: its phase, and of each attempt ``outcome/reason``."""
    return End(phase, outcomes, is_gone)


@dataclass(frozen=True)
class End:
    """What a Job has come to."""

    phase: str
    outcomes: tuple[str, ...]
    is_gone: bool = False
    """Whether the object is deleted at the end."""


@dataclass(frozen=True)
class Ends:
    """What there is at the end of a workload, and how much was made on the way to it."""

    jobs: Mapping[str, End | tuple[End, ...]] = field(default_factory=dict)
    """By name, or by how names begin with a * after it; several Jobs in the order in which they came."""
    pods: int | None = None
    """Pods that were ever made; None where a fault may rightly cause one more."""
    effects: int | None = None
    """Attempts that began to work."""

    def breaches(self, history: History) -> Iterator[Breach]:
        """Where a history ends in another way."""
        jobs: dict[str, list[Body]] = {each: [] for each in self.jobs}
        for raw in history.last.values():
            if raw.get("kind") == "Job":
                jobs.setdefault(self._key(raw["metadata"]["name"]), []).append(raw)
        for name, met in jobs.items():
            wanted = self.jobs.get(name, ())
            expected = wanted if isinstance(wanted, tuple) else (wanted,)
            found = tuple(_end_of(each, history) for each in met)
            if found != expected:
                yield Breach(0, f"{name} ended as {_words(found)}, not as {_words(expected)}")
        yield from self._counted("pods were made", self.pods, _made(history, "Pod"))
        yield from self._counted("attempts began", self.effects, len(history.effects))

    def _key(self, name: str) -> str:
        """Under what a Job of this name is expected."""
        begun = (each for each in self.jobs if each.endswith("*") and name.startswith(each[:-1]))
        return next(begun, name)

    @staticmethod
    def _counted(what: str, wanted: int | None, found: int) -> Iterator[Breach]:
        if wanted is not None and found != wanted:
            yield Breach(0, f"{found} {what}, not {wanted}")


def _end_of(raw: Body, history: History) -> End:
    status: dict[str, Any] = raw.get("status") or {}
    outcomes = tuple(
        f"{each.get('outcome')}/{each.get('reason')}" for each in status.get("attempts", ())
    )
    return End(str(status.get("phase")), outcomes, raw["metadata"]["uid"] not in history.left)


def _made(history: History, kind: str) -> int:
    return len({each.uid for each in history.of_kind(kind)})


def _words(ends: tuple[End, ...]) -> str:
    said = (
        f"{each.phase} ({', '.join(each.outcomes)})" + (" and gone" if each.is_gone else "")
        for each in ends
    )
    return "; ".join(said) or "nothing"
