"""Collects what runs came to, as lines of JSON and as a table for a page or a terminal.

Each run has one sample per side, by the name of the figure. A line of JSON is written as soon as its
sample is known, so a run that breaks off leaves what was measured before it.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import figures
from tests.bench.figures import Figure, Spread

Sample = Mapping[str, float]


@dataclass
class Report:
    """One table: a bench under one setting. The first side is ours."""

    bench: str
    setting: str
    sides: Sequence[str]
    lines: Sequence[Figure]
    file: Path | None = None
    about: dict[str, str] = field(default_factory=dict)
    """Versions and the like."""
    _samples: dict[str, list[Sample]] = field(default_factory=dict)

    def order(self, run: int) -> Sequence[str]:
        """Who goes first takes turns, so that what else the machine does hits all."""
        return self.sides if run % 2 == 0 else self.sides[::-1]

    def add(self, side: str, sample: Sample) -> None:
        """Note one run of one side."""
        known = self._samples.setdefault(side, [])
        known.append(sample)
        if self.file is None:
            return
        line = {
            "bench": self.bench,
            "setting": self.setting,
            "run": len(known),
            "side": side,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "about": self.about,
            "figures": {name: round(value, 4) for name, value in sample.items()},
        }
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def text(self) -> str:
        """The table below what it was measured on."""
        versions = [f"{name} {version}" for name, version in self.about.items()]
        runs = max((len(each) for each in self._samples.values()), default=0)
        about = "; ".join([machine(), *versions, f"{runs} runs of each" if runs > 1 else "1 run"])
        return f"{about}\n\n{self.table()}"

    def table(self) -> str:
        """Markdown: the median of the runs, and the least and the most where there are several."""
        peers = self.sides[1:]
        ahead = ["ahead"] if len(peers) == 1 else [f"ahead of {each}" for each in peers]
        rows = [[f"{self.bench}, {self.setting}", *self.sides, *ahead]]
        rows += [self._row(line) for line in self.lines]
        rows += [self._row(Figure(f"- {name}")) for name in self._unlisted()]
        return "\n".join(_aligned(rows))

    def _row(self, line: Figure) -> list[str]:
        values = {side: self.values(side, line.name) for side in self.sides}
        cells = [_text(_spread(values[side]), line.digits) for side in self.sides]
        ours, *others = (values[side] for side in self.sides)
        ahead = [_ahead(line, ours, each) for each in others]
        return [line.name, *cells, *(_text(each, 2) for each in ahead)]

    def values(self, side: str, name: str) -> list[float]:
        """A figure of each run of a side."""
        name = name.removeprefix("- ")
        return [each[name] for each in self._samples.get(side, []) if name in each]

    def _unlisted(self) -> list[str]:
        found = {name for each in self._samples.values() for sample in each for name in sample}
        return sorted(found - {line.name for line in self.lines})


def machine() -> str:
    """The machine, in a few words."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores {name}, {memory:.0f} GiB, Linux {platform.release()}"


def _spread(values: Sequence[float]) -> Spread | None:
    return figures.spread(values) if values else None


def _ahead(line: Figure, ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    return figures.spread_ahead(line, ours, theirs) if ours and theirs else None


def _text(found: Spread | None, digits: int) -> str:
    if found is None:
        return "-"
    if found.least == found.most:
        return f"{found.median:,.{digits}f}"
    return f"{found.median:,.{digits}f} ({found.least:,.{digits}f} to {found.most:,.{digits}f})"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join(
        "-" * (width + 2) if number == 0 else "-" * (width + 1) + ":"
        for number, width in enumerate(widths)
    )
    return [lines[0], rule + "|", *lines[1:]]
