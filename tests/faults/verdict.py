"""What a plan came to: what did not hold, and the story that led there."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.faults import invariants
from tests.faults.director import Fired
from tests.faults.ends import Ends
from tests.faults.history import Body, Breach, Change, History, Restart
from tests.faults.plan import Fault, Plan
from tests.faults.proxy.seen import Trace

END = "ends as its workload says"
COMES_TO_ITS_END = "comes to its end"


@dataclass(frozen=True)
class Verdict:
    """A plan that was played."""

    plan: Plan
    history: History
    trace: Trace
    ends: Ends
    fired: tuple[Fired, ...]
    waiting: tuple[Fault, ...]
    """Faults for which nothing came that they wait for: the plan shows nothing of them."""
    restarts: tuple[Restart, ...]
    problem: str
    seconds: float
    """From the end of the last fault to the end of everything, without what the workload waits for by itself."""
    logs: str

    @cached_property
    def broken(self) -> dict[str, list[Breach]]:
        """What did not hold, by the name of the invariant."""
        found = invariants.broken(self.history)
        if self.problem:
            found[COMES_TO_ITS_END] = [Breach(0, self.problem)]
        elif others := list(self.ends.breaches(self.history)):
            found[END] = others
        return found

    @property
    def halves(self) -> tuple[Trace, Trace]:
        """What was seen until all had come to its end, and then until it was read back."""
        quiet, read = self.history.quiet_from, self.history.read_at
        return self.trace.within(0.0, quiet), self.trace.within(quiet, read)

    @property
    def is_good(self) -> bool:
        """Whether all held, and each fault came true."""
        return not self.broken and not self.waiting

    @property
    def shows_nothing(self) -> bool:
        """Whether it came to no end, or its faults to nothing, and all that was seen is as it should be.

        A machine that is busy does that to it, so it is worth another try.
        """
        return not self.is_good and set(self.broken) <= {COMES_TO_ITS_END}

    def line(self) -> str:
        """It in a line."""
        name = f"{self.plan.workload}/{self.plan.name}"
        if self.broken:
            return f"fail  {name}: {'; '.join(self.broken)}"
        if self.waiting:
            return f"idle  {name}: {len(self.waiting)} faults found nothing to come true at"
        since = " after the last fault" if self.fired else ""
        return f"ok    {name} ({self.seconds:.1f} s{since})"

    def story(self) -> str:
        """All of it, for people: what did not hold first, then what happened, then the logs."""
        lines = [self.line()]
        for name, breaches in self.broken.items():
            lines.append(f"  {name}:")
            lines += [f"    {place(each.revision)}{each.what}" for each in breaches]
        lines += [f"  waiting: {each.do} of {_trigger(each)}" for each in self.waiting]
        lines += ["", *(text for _, text in sorted(self._happened(), key=lambda each: each[0]))]
        return "\n".join((*lines, "", self.logs))

    def _happened(self) -> Iterator[tuple[float, str]]:
        for fault in self.fired:
            yield fault.at, f"{fault.at:7.2f}  {fault.replica:<4} ** {fault}"
        for restart in self.restarts:
            yield restart.at, f"{restart.at:7.2f}  {restart.replica:<4} ** {restart}"
        times: dict[int, float] = {}
        for each in self.trace.writes():
            code = "-" if each.status is None else str(each.status)
            yield each.at, f"{each.at:7.2f}  {each.replica:<4} {each.target} {code}"
            if each.version is not None:
                times[each.version] = each.at
        for commit in self.trace.commits:
            yield commit.at, f"{commit.at:7.2f}  {commit.replica:<4} commits {commit.sql}"
        for heard in self.history.heard:
            yield heard.at, f"{heard.at:7.2f}       asks: {heard}"
        yield from self._revisions(times)

    def _revisions(self, times: dict[int, float]) -> Iterator[tuple[float, str]]:
        """Revisions have no time of their own: that of the request that made them, or of the one before."""
        at = 0.0
        for change in self.history.changes:
            at = max(at, times.get(change.revision, at))
            if told := words(change):
                yield at, f"{at:7.2f}       r{change.revision} {told}"


def place(revision: int) -> str:
    """Where a breach was, before what it says; nothing for the end."""
    return f"at revision {revision}: " if revision else ""


def _trigger(fault: Fault) -> str:
    return str(fault.request or fault.event or fault.commit)


def words(change: Change) -> str:
    """What became of an object, in short; nothing for a renewal of a lease."""
    if change.kind.startswith("Lease."):
        return ""
    what = f"{change.kind} {change.name}"
    if change.before is None:
        return f"{what} is made"
    if change.after is None:
        return f"{what} is gone"
    was, has = _state(change.before), _state(change.after)
    return (
        f"{what}: {', '.join(f'{key} {text}' for key, text in has.items() if was.get(key) != text)}"
    )


def _state(raw: Body) -> dict[str, Any]:
    status = raw.get("status") or {}
    found = {
        "phase": status.get("phase"),
        "attempts": len(status.get("attempts") or ()),
        "spec": raw["metadata"].get("generation"),
        "to be deleted": raw["metadata"].get("deletionTimestamp"),
        "annotations": raw["metadata"].get("annotations"),
    }
    conditions = status.get("conditions") or ()
    found |= {each["type"]: f"{each['status']} ({each.get('reason', '')})" for each in conditions}
    return {key: text for key, text in found.items() if text}
