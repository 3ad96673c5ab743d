"""What a run of chaos came to: what did not hold, and the story that led there. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from typing_extensions import override

from tests.faults import verdict
from tests.faults.chaos.recording import Noted
from tests.faults.history import Breach

Broken = dict[str, list[Breach]]


@dataclass(frozen=True)
class Done:
    """An act: when it began, whom it hit (nobody: why not), and how long the platform took to answer again."""

    at: float
    name: str
    whom: str = ""
    idle: str = ""
    answered_after: float | None = None
    """Seconds from its undoing; None where it did not come to that."""

    @override
    def __str__(self) -> str:
        if self.idle:
            return f"{self.name}: nobody was hit ({self.idle})"
        then = "no answer in time"
        if self.answered_after is not None:
            then = f"all answered {self.answered_after:.1f} s later"
        return f"{self.name}: {self.whom}; {then}"


@dataclass(frozen=True)
class Verdict:
    """All of it."""

    seed: int
    acts: Sequence[Done]
    judged: Broken
    """Every check by its name, and what broke it."""
    noted: Sequence[Noted] = ()
    counts: dict[str, int] = field(default_factory=dict)
    """What there was to judge."""

    @property
    def broken(self) -> Broken:
        """What did not hold."""
        return {name: found for name, found in self.judged.items() if found}

    def line(self) -> str:
        """It in a line."""
        hit = [each for each in self.acts if not each.idle]
        took = [each.answered_after for each in hit if each.answered_after is not None]
        said = f"{'fail' if self.broken else 'ok  '}  seed {self.seed}: {len(hit)} acts"
        said += "".join(f", {number} {what}" for what, number in self.counts.items())
        if took:
            said += f"; all answered {median(took):.1f} s after an act (median)"
            said += f", {max(took):.1f} s (longest)"
        return said + (f"; {'; '.join(self.broken)}" if self.broken else "")

    def story(self) -> str:
        """All acts; and where something did not hold, what, and the revisions of what it is about."""
        lines = [self.line()]
        for name, found in self.broken.items():
            lines.append(f"  {name}:")
            lines += [f"    {verdict.place(each.revision)}{each.what}" for each in found]
        happened = [(each.at, f"{each.at:8.2f}  ** {each}") for each in self.acts]
        happened += [*self._revisions()] if self.broken else []
        return "\n".join([*lines, "", *(text for _, text in sorted(happened, key=lambda e: e[0]))])

    def wire(self) -> dict[str, Any]:
        """For programs."""
        judged = {name: [each._asdict() for each in found] for name, found in self.judged.items()}
        acts = [asdict(each) for each in self.acts]
        return {"seed": self.seed, "acts": acts, "judged": judged, "counts": self.counts}

    def _revisions(self) -> Iterator[tuple[float, str]]:
        breaches = [each for found in self.broken.values() for each in found]
        chosen = concerned(self.noted, breaches)
        for each in self.noted:
            words = verdict.words(each.change)
            if each.change.uid in chosen and words:
                yield each.at, f"{each.at:8.2f}  r{each.change.revision} {words}"


def concerned(noted: Sequence[Noted], breaches: Sequence[Breach]) -> set[str]:
    """The uids of what breaches are about: changed at their revision, or named in their words."""
    revisions = {each.revision for each in breaches if each.revision}
    said = set(" ".join(each.what for each in breaches).replace(",", " ").split())
    found = set()
    for each in noted:
        change = each.change
        if change.revision in revisions or said & {change.uid, change.name}:
            found.add(change.uid)
    return found
