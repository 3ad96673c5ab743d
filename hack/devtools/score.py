"""Which seeded bugs are found, and by which tier: tried, kept in a file, and shown in docs/faults.md.

A verdict is kept as soon as it is there, with the digest of its patch, so a run that was cut goes on where it was
and a patch that was made anew is tried again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools import console, environment, markdown, mutants, places, programs, tiers, trial
from devtools.errors import ToolError
from devtools.mutants import TIERS, Mutant
from devtools.trial import OPEN, SURVIVED

FILE = places.REPOSITORY / "tests" / "mutants" / "score.json"
PAGE = Path("docs/faults.md")
PART = "score"
SECONDS = 900.0
UNASKED = ("not found", "not tried")
"""Where the tiers that would find it were left out."""


@dataclass(frozen=True)
class Verdict:
    """What became of a bug: the tier that found it, SURVIVED, or a word of OPEN."""

    mutant: Mutant
    word: str

    @property
    def is_caught(self) -> bool:
        """Whether a test failed by it."""
        return self.word in TIERS

    @property
    def is_kept(self) -> bool:
        """Whether it is a verdict, and need not be found again."""
        return self.is_caught or self.word == SURVIVED


class Kept:
    """The verdicts in the file."""

    def __init__(self, file: Path = FILE) -> None:
        """Raises ToolError where the file is none of ours."""
        self._file = file
        self._words: dict[str, tuple[str, str]] = {}
        if not file.exists():
            return
        try:
            found = json.loads(file.read_text())
            self._words = {name: (each["patch"], each["by"]) for name, each in found.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ToolError(
                f"{file.name} cannot be read: {error!r}", "take it from git, or delete it"
            ) from error

    def of(self, mutant: Mutant) -> Verdict | None:
        """What is known of this very patch."""
        digest, word = self._words.get(mutant.name, ("", ""))
        return Verdict(mutant, word) if digest == mutant.digest else None

    def keep(self, verdict: Verdict) -> None:
        """Write a verdict down."""
        self._words[verdict.mutant.name] = verdict.mutant.digest, verdict.word
        self._write()

    def forget(self, names: Iterable[str]) -> None:
        """Know nothing of these any more."""
        for each in names:
            self._words.pop(each, None)
        self._write()

    def forget_strangers(self, known: Iterable[Mutant]) -> None:
        """Know nothing of patches that are no more, or are others."""
        stand = {each.name: each.digest for each in known}
        self.forget([name for name, (patch, _) in self._words.items() if stand.get(name) != patch])

    def _write(self) -> None:
        lines = [
            f"  {json.dumps(name)}: {json.dumps({'patch': patch, 'by': word})}"
            for name, (patch, word) in sorted(self._words.items())
        ]
        partial = self._file.with_suffix(".partial")
        partial.write_text("{\n" + ",\n".join(lines) + "\n}\n" if lines else "{}\n")
        partial.replace(self._file)


def make(only: Sequence[str], wanted: Sequence[str], seconds: float, *, is_anew: bool) -> None:
    """Try what is not known yet, all of it with ``is_anew``, and show it in the page.

    Raises ToolError where one was not found by all the tiers that it names.
    """
    if strange := set(wanted) - set(TIERS):
        raise ToolError(f"no tier {', '.join(sorted(strange))}", f"tiers: {', '.join(TIERS)}")
    chosen, kept = mutants.chosen(only), Kept()
    if is_anew:
        kept.forget(each.name for each in chosen)
    kept.forget_strangers(mutants.all_of_them())
    due = [each for each in chosen if kept.of(each) is None]
    with console.step(f"{len(due)} of {len(chosen)} bugs are to be tried"):
        words = _try(due, wanted or TIERS, seconds, kept)
    _show()
    found = [kept.of(each) or Verdict(each, words[each.name]) for each in chosen]
    print("\n".join(summary(found)))
    if not all(each.is_caught or each.word in UNASKED for each in found):
        raise ToolError("not every bug was found", "what survives is a test that is missing")


def _try(
    due: Sequence[Mutant], wanted: Sequence[str], seconds: float, kept: Kept
) -> Mapping[str, str]:
    if not due:
        return {}
    environment.ensure()
    for tier in {tier for each in due for tier in each.tiers if tier in wanted}:
        for group in tiers.BY_NAME[tier].programs if tier in tiers.BY_NAME else ():
            programs.ensure(group)
    with trial.copied(seconds) as bench:
        return tried(due, trial.Trial(bench, wanted).of, kept)


def tried(due: Sequence[Mutant], find: Callable[[Mutant], str], kept: Kept) -> Mapping[str, str]:
    """One after the other; each verdict is kept at once. What was said of each, by name."""
    words = {}
    for place, mutant in enumerate(due, start=1):
        verdict = Verdict(mutant, find(mutant))
        if verdict.is_kept:
            kept.keep(verdict)
        words[mutant.name] = verdict.word
        console.say(f"  {place:3}/{len(due)}  {verdict.word:12}  {mutant.name}")
    return words


def summary(found: Sequence[Verdict]) -> list[str]:
    """Caught of all, by which tier, and what was not: a line each."""
    caught = [each for each in found if each.is_caught]
    lines = [f"caught {len(caught)} of {len(found)}"]
    lines += [f"  by {tier}: {number}" for tier, number in _by_tier(caught)]
    for each in found:
        if not each.is_caught:
            why = OPEN.get(each.word)
            said = each.word if why is None else f"{each.word} ({why})"
            lines.append(f"  {said}: {each.mutant.name}: {each.mutant.bug}")
    return lines


def page() -> str:
    """docs/faults.md with the score as it is kept."""
    kept = Kept()
    words = {each: kept.of(each) for each in mutants.all_of_them()}
    text = (places.REPOSITORY / PAGE).read_text()
    return markdown.with_part(text, PART, shown(words))


def shown(words: Mapping[Mutant, Verdict | None]) -> str:
    """The score as a part of the page: by class, and what was not found or not tried yet by name."""
    known = [each for each in words.values() if each is not None]
    caught = [each for each in known if each.is_caught]
    by = ", ".join(f"{number} by {tier}" for tier, number in _by_tier(caught))
    said = f"\nCaught {len(caught)} of {len(words)}" + (f": {by}" if by else "") + "."
    if len(known) < len(words):
        said += f" Not tried yet: {len(words) - len(known)}."
    rows = []
    for kind in sorted({each.kind for each in words}):
        these = [each for mutant, each in words.items() if mutant.kind == kind]
        found = [each for each in these if each is not None and each.is_caught]
        tiers_ = ", ".join(f"{tier} {number}" for tier, number in _by_tier(found))
        rows.append((kind, str(len(these)), str(len(found)), tiers_))
    survived = [
        f"* `{each.mutant.name}` survived: {each.mutant.bug}\n"
        for each in known
        if not each.is_caught
    ]
    table = markdown.table(("class", "bugs", "caught", "by tier"), rows)
    return f"{said}\n\n{table}\n" + ("".join(survived) + "\n" if survived else "")


def _by_tier(caught: Iterable[Verdict]) -> list[tuple[str, int]]:
    counted = Counter(each.word for each in caught)
    return [(tier, counted[tier]) for tier in TIERS if counted[tier]]


def _show() -> None:
    (places.REPOSITORY / PAGE).write_text(page())
