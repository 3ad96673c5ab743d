"""What people want while things go wrong: Jobs of three sorts, a Schedule, and a Lease that changes hands."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from tests.faults.chaos.view import ENDED, View, name_of, phase_of
from tests.support.onboarded import JOBS, Workspace

CREW, KEEPER, HOARDER = "crew", "keeper", "hoarder"
LEASE, SCHEDULE = "main", "ticks"
LEDGER = "began"
READY_SECONDS = 180.0
LOOK_SECONDS = 1.0
STEP = 5
"""Seconds between two ticks."""
LEAD_SECONDS = 15
"""So much before its first tick the Schedule is made."""
KEPT = 40
"""Jobs of each sort that stay as objects after their end; older ones are deleted, as people do."""
# Whatever befalls it, an attempt is followed by another, so that each Job has to succeed.
TRIED = {"retry": {"maxAttempts": 20, "backoffSeconds": 1}, "timeoutSeconds": 900}
TALK = "for n in 1 2 3 4 5 6 7 8; do echo line $n; sleep 0.7; done"
FIRST_FAILS = f'{TALK}; case "$COXSWAIN_RUN" in */1) exit 3;; esac'
# One line for each attempt that began, in a file that no part of the platform writes or reads.
WRITES_DOWN = f'echo "$COXSWAIN_RUN" >> {LEDGER}; sleep 3'
FILLS = (
    'case "$COXSWAIN_RUN" in */1) head -c 200M /dev/zero > filled; exec sleep 300;; esac; echo well'
)


class Sort(NamedTuple):
    """Jobs of a kind: how many of them are under way at a time, and what they are."""

    name: str
    agent: str
    script: str
    at_once: int
    more: dict[str, Any]


SORTS = (
    Sort("steady", CREW, FIRST_FAILS, 2, {}),
    Sort("leased", CREW, "sleep 2", 3, {"leases": [LEASE]}),
    Sort("kept", KEEPER, WRITES_DOWN, 2, {}),
)


class Load:
    """All of it. ``made`` are the names of the Jobs that were asked for."""

    def __init__(self, workspace: Workspace, view: View) -> None:
        self._workspace = workspace
        self._view = view
        self._numbers = count(1)
        self.made: list[str] = []
        self.first = self.last = datetime.now(UTC)

    def set_up(self, seconds: float) -> None:
        """Agents, a Lease, and a Schedule whose ticks come for so long. A home is there before it begins."""
        small = {"workspace": {"size": "64Mi"}}
        self._workspace.agent(CREW, quota={"concurrentJobs": 6}, **small)
        self._workspace.agent(HOARDER, **small)
        self._workspace.agent(KEEPER, workspace={"type": "Persistent", "size": "64Mi"})
        self._workspace.apply("Lease", LEASE, {"resource": "git:main"})
        self._job("kept-first", KEEPER, WRITES_DOWN)
        self._workspace.ended("kept-first", READY_SECONDS)
        self.first, self.last = between_ticks(datetime.now(UTC), seconds)
        job = {"agentRef": {"name": CREW}, "title": "tick", "command": ["sleep", "2"], **TRIED}
        spec = {
            "interval": {"seconds": STEP},
            "startAt": _instant(self.first),
            "endAt": _instant(self.last),
            "successfulJobsHistoryLimit": 20,
            "jobTemplate": {"spec": job},
        }
        self._workspace.apply("Schedule", SCHEDULE, spec)
        self._workspace.until(self._unseen)

    def _unseen(self) -> str:
        schedules = self._view.of_kind("Schedule")
        return "" if any(phase_of(each) for each in schedules) else "the Schedule to be looked at"

    async def keep_up(self, over: asyncio.Event) -> None:
        """Make further Jobs as others end, and delete old ones, until it is over."""
        while not over.is_set():
            for sort in SORTS:
                await asyncio.to_thread(self._tend, sort)
            await asyncio.sleep(LOOK_SECONDS)

    def hoards(self) -> str:
        """Make a Job whose first attempt fills its disk; its name."""
        return self._job(f"hoard-{next(self._numbers):04}", HOARDER, FILLS)

    def read_ledger(self) -> str:
        """Make a Job that prints what the agents wrote down, and wait for it; its name."""
        name = "ledger"
        self._job(name, KEEPER, f"cat {LEDGER}")
        self._workspace.ended(name, READY_SECONDS)
        return name

    def _tend(self, sort: Sort) -> None:
        prefix = f"{sort.name}-"
        there = [each for each in self._view.of_kind("Job") if name_of(each).startswith(prefix)]
        ended = self._view.jobs(lambda phase: phase in ENDED)
        over = {name_of(each) for each in ended}
        for old in sorted(over & {name_of(each) for each in there})[:-KEPT]:
            self._workspace.run("delete", JOBS, old, "--ignore-not-found", "--wait=false")
        known = {name_of(each) for each in there}
        # The watch may not have told yet of what was made last.
        newest = [each for each in self.made if each.startswith(prefix)][-sort.at_once :]
        under_way = {*known, *newest} - over
        if len(under_way) < sort.at_once:
            name = f"{prefix}{next(self._numbers):04}"
            self._job(name, sort.agent, sort.script, **sort.more)

    def _job(self, name: str, agent: str, script: str, **more: Any) -> str:
        self.made.append(name)
        self._workspace.command(name, agent, "sh", "-c", script, **TRIED, **more)
        return name


def tear_down(workspace: Workspace) -> None:
    """Take away what clearing a workspace leaves."""
    for kind in ("schedules.coxswain.dev", "leases.coxswain.dev"):
        workspace.run("delete", kind, "--all", "--wait=false")


def between_ticks(now: datetime, seconds: float) -> tuple[datetime, datetime]:
    """From soon on, for so long: both a second after a multiple of the step, so that none falls on them."""
    begin, length = (int(each) // STEP * STEP for each in (now.timestamp(), seconds))
    first = datetime.fromtimestamp(begin + LEAD_SECONDS + 1, UTC)
    return first, first + timedelta(seconds=length)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
