"""CPU and memory of processes, as the kernel counts them, and of the machine as a whole."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS, REST_SECONDS = 0.5, 1.0
# Of one core. An API server at rest uses a few hundredths of it.
REST_SHARE = 0.1
ALL, OTHERS = "all", "others on the machine"


@dataclass(frozen=True)
class Spent:
    """Seconds of CPU until a moment, by the part that spent them; ``all`` is the whole machine."""

    at: float
    seconds: Mapping[str, float]

    def since(self, before: "Spent") -> dict[str, float]:
        """Seconds of each part between two moments; what none of them spent is the others'."""
        found = {name: self.seconds[name] - before.seconds[name] for name in self.seconds}
        total = found.pop(ALL)
        return {**found, OTHERS: max(0.0, total - sum(found.values()))}


@dataclass(frozen=True)
class Meter:
    """Reads the CPU of named processes, of ``families`` with their children."""

    pids: Mapping[str, int]
    families: Mapping[str, int] = field(default_factory=dict)

    def read(self) -> Spent:
        """What they have used so far."""
        found = {name: own_seconds(pid) for name, pid in self.pids.items()}
        found |= {name: family_seconds(pid) for name, pid in self.families.items()}
        return Spent(time.monotonic(), {**found, ALL: _machine_seconds()})

    async def rest(self, longest_seconds: float = 30.0) -> float:
        """Wait until all of them together do next to nothing; when that began.

        Returns a time of ``time.monotonic``, also where no rest came within the longest time.
        """
        deadline = time.monotonic() + longest_seconds
        before = since = self.read()
        while before.at < deadline and before.at - since.at < REST_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            now = self.read()
            spent = now.since(before)
            used = sum(spent[each] for each in (*self.pids, *self.families))
            if used >= REST_SHARE * (now.at - before.at):
                since = now
            before = now
        return since.at


def own_seconds(pid: int) -> float:
    """CPU of a process alone, all its threads."""
    return sum(_times(pid)[:2])


def family_seconds(pid: int) -> float:
    """CPU of a process and of all that it has started, also of those that have ended."""
    # A process' own figures hold what its children used that it has seen end.
    return sum(_times(pid)) + _of_children(pid, family_seconds)


def family_bytes(pid: int) -> float:
    """Memory that a process and those that it has started hold now; of what they share, each its part."""
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    (own,) = (line for line in lines if line.startswith("Pss:"))
    return int(own.split()[1]) * 1024 + _of_children(pid, family_bytes)


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has held at once."""
    return _status_bytes(pid, "VmHWM") / 1e6


def resident_bytes(pid: int) -> float:
    """Memory that a process holds now, with all that it shares with others."""
    return _status_bytes(pid, "VmRSS")


def _status_bytes(pid: int, name: str) -> float:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith(name))
    return int(found.split()[1]) * 1024


def _of_children(pid: int, count: Callable[[int], float]) -> float:
    """Of all that a process has started and that is still there."""
    found = 0.0
    for child in (PROC / str(pid) / "task" / str(pid) / "children").read_text().split():
        try:
            found += count(int(child))
        except OSError:
            continue
    return found


def _times(pid: int) -> list[float]:
    """Its own in user and kernel mode, then those of its ended children."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return [int(each) / TICKS for each in fields[11:15]]


def _machine_seconds() -> float:
    """Everything but idling and waiting for disks."""
    fields = [int(each) for each in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, interrupts, soft, steal = fields
    return (user + nice + system + interrupts + soft + steal) / TICKS
