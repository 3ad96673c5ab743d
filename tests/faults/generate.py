"""Plans from what was seen of a run without faults. Pure.

    of each write           killed before it and after it, its answer lost, its answer a 504, and
                            frozen before it until another replica leads
    of each commit          killed before it and after it, cut before it and after it
    of each event           repeated, late, swapped with the next, lost, the stream broken in its place
    of each deletion        killed after it, and the past is seen again: the list as it was before it
    of a change and its     only the end of both is seen
    cancelling
    of the sidecar API      each write and each commit of it, and it is frozen before its commits, too

A fault is counted by verb and resource, or by table, for names of pods differ from run to run.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.plan import SIDECAR, Commit, Deed, Event, Fault, Plan, Request
from tests.faults.proxy.seen import Body, Told, Trace

TABLE = re.compile(r"\b(INTO|UPDATE|FROM) (\w+)")
LATE_SECONDS = 2.0
FROZEN_SECONDS = 6.0
"""Longer than the lease of a leader here: the other replica has taken over."""
BEFORE_SECONDS = 8.0
"""What a restart takes, and the time that a lease is still somebody else's."""
END_SECONDS = 180.0
LOST_SECONDS = 240.0
"""What an event hid that was lost is found by the next sweep, at the latest."""
Faults = tuple[Fault, ...]


def plans(workload: str, seen: Trace, quiet: Trace) -> list[Plan]:
    """The plans for a workload, of what was seen of it, and then when all had come to its end.

    What happens then too is routine, and belongs to none of the workload's steps.
    """
    operators = seen.of(lambda replica: replica != SIDECAR)
    found = [
        *_of_writes(operators),
        *_of_commits(operators, quiet),
        *_of_events(operators),
        *_of_deletions(operators),
        *_of_cancelled_changes(operators),
        *_of_sidecar(seen.of(lambda replica: replica == SIDECAR), quiet),
    ]
    return [
        Plan(
            name=name,
            workload=workload,
            faults=faults,
            seconds=_seconds(faults),
            replicas=1 + any(_wants_another(each) for each in faults),
        )
        for name, faults in found
    ]


def _seconds(faults: Faults) -> float:
    is_lost = any(each.do in (Deed.DROP, Deed.HUSH) for each in faults)
    return LOST_SECONDS if is_lost else END_SECONDS


def _wants_another(fault: Fault) -> bool:
    """Whether a further operator is to take over."""
    return fault.do is Deed.FREEZE and fault.replica != SIDECAR


def _of_writes(seen: Trace) -> Iterator[tuple[str, Faults]]:
    counted: Counter[tuple[str, str]] = Counter()
    for each in seen.writes():
        key = each.target.verb, each.target.resource
        counted[key] += 1
        at = Request.model_validate({"verb": key[0], "resource": key[1], "nth": counted[key]})
        name = f"{_dashed(' '.join(key))}-{at.nth}"
        yield f"{name}-kill-before", (Fault(request=at, do=Deed.KILL),)
        yield f"{name}-kill-after", (Fault(request=at, do=Deed.KILL, when="after"),)
        yield f"{name}-lose-after", (Fault(request=at, do=Deed.LOSE, when="after"),)
        yield f"{name}-504-after", (Fault(request=at, do=Deed.ANSWER, when="after", status=504),)
        yield f"{name}-freeze", (Fault(request=at, do=Deed.FREEZE, seconds=FROZEN_SECONDS),)


def _of_commits(seen: Trace, quiet: Trace) -> Iterator[tuple[str, Faults]]:
    for name, at in _commits(seen, quiet):
        for do in (Deed.KILL, Deed.LOSE):
            yield f"{name}-{do}-before", (Fault(commit=at, do=do),)
            yield f"{name}-{do}-after", (Fault(commit=at, do=do, when="after"),)


def _commits(seen: Trace, quiet: Trace) -> Iterator[tuple[str, Commit]]:
    """Where a plan finds each commit that is no routine, and its name."""
    always = {_table(each.sql) for each in quiet.commits}
    counted: Counter[str] = Counter()
    for each in seen.commits:
        table = _table(each.sql)
        counted[table] += 1
        if not table or table in always:
            continue
        yield (
            f"commit-{_dashed(table)}-{counted[table]}",
            Commit(words=table, nth=counted[table]),
        )


def _of_sidecar(seen: Trace, quiet: Trace) -> Iterator[tuple[str, Faults]]:
    """Who called it hears nothing and asks again, of it or of the next one, or beside what it still does."""
    frozen = [
        (f"{name}-freeze", (Fault(commit=at, do=Deed.FREEZE, seconds=FROZEN_SECONDS),))
        for name, at in _commits(seen, quiet)
    ]
    for name, faults in (*_of_writes(seen), *_of_commits(seen, quiet), *frozen):
        its = tuple(each.model_copy(update={"replica": SIDECAR}) for each in faults)
        yield f"{SIDECAR}-{name}", its


def _of_events(seen: Trace) -> Iterator[tuple[str, Faults]]:
    for at in _places(seen.told).values():
        name = f"event-{_dashed(at.resource)}-{at.type.lower()}-{at.nth}"
        yield f"{name}-repeat", (Fault(event=at, do=Deed.REPEAT),)
        yield f"{name}-delay", (Fault(event=at, do=Deed.DELAY, seconds=LATE_SECONDS),)
        yield f"{name}-swap", (Fault(event=at, do=Deed.SWAP, seconds=LATE_SECONDS),)
        yield f"{name}-cut", (Fault(event=at, do=Deed.CUT),)
        yield f"{name}-half", (Fault(event=at, do=Deed.HALF),)
        yield f"{name}-410", (Fault(event=at, do=Deed.ERROR, status=410),)
        yield f"{name}-drop", (Fault(event=at, do=Deed.DROP),)


def _of_deletions(seen: Trace) -> Iterator[tuple[str, Faults]]:
    """A leader dies when it has destroyed something; the next one sees it as it was before."""
    counted: Counter[str] = Counter()
    for each in seen.writes():
        if each.target.verb != "delete":
            continue
        resource = each.target.resource
        counted[resource] += 1
        at = Request(verb="delete", resource=resource, nth=counted[resource])
        again = Request(verb="list", resource=resource)
        yield (
            f"delete-{_dashed(resource)}-{at.nth}-past",
            (
                Fault(request=at, do=Deed.KILL, when="after"),
                Fault(
                    request=again,
                    do=Deed.OLD,
                    then=True,
                    seconds=BEFORE_SECONDS,
                    lasts=BEFORE_SECONDS,
                ),
            ),
        )


def _of_cancelled_changes(seen: Trace) -> Iterator[tuple[str, Faults]]:
    """Of a field that has changed and has its former value again, all events between are lost."""
    places = _places(seen.told)
    by_object: dict[str, list[int]] = defaultdict(list)
    for number, told in enumerate(seen.told):
        by_object[told.object["metadata"]["uid"]].append(number)
    for numbers in by_object.values():
        for first, last in _there_and_back([_fields(seen.told[each].object) for each in numbers]):
            hidden = [places[each] for each in numbers[first:last]]
            faults = tuple(Fault(event=each, do=Deed.DROP) for each in hidden)
            at = hidden[0]
            yield f"unseen-{_dashed(at.resource)}-{at.nth}-to-{hidden[-1].nth}", faults


def _there_and_back(states: list[dict[str, str]]) -> list[tuple[int, int]]:
    """For each field that goes A, B, A: the first index of B, and that of the second A."""
    found: dict[tuple[int, int], None] = {}
    for last, state in enumerate(states):
        for field, value in state.items():
            first = last
            while first and states[first - 1].get(field) != value:
                first -= 1
            if 0 < first < last:
                found[first, last] = None
    return list(found)


def _fields(raw: Body) -> dict[str, str]:
    """What people and others say of an object, by its place; not what only ever grows."""
    found: dict[str, str] = {}
    metadata, status = raw["metadata"], raw.get("status") or {}
    for part, fields in (
        ("spec", raw.get("spec")),
        ("annotation", metadata.get("annotations")),
        ("label", metadata.get("labels")),
    ):
        found |= {f"{part}.{key}": _text(value) for key, value in (fields or {}).items()}
    found["phase"] = _text(status.get("phase"))
    for each in status.get("conditions") or ():
        found[f"condition.{each['type']}"] = str(each["status"])
    return found


def _places(told: list[Told]) -> dict[int, Event]:
    """Where a plan finds each event, by its place in the trace."""
    counted: Counter[tuple[str, str]] = Counter()
    found: dict[int, Event] = {}
    for number, each in enumerate(told):
        counted[each.resource, each.type] += 1
        nth = counted[each.resource, each.type]
        found[number] = Event.model_validate(
            {"resource": each.resource, "type": each.type, "nth": nth}
        )
    return found


def _table(sql: str) -> str:
    found = TABLE.search(sql)
    return found.group() if found else ""


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _dashed(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
