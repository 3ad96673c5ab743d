"""What comes of a Schedule: which ticks there are, what becomes of them, and the Jobs that they make."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.records import Event
from coxswain.api.ticks import ScheduleState, Standing, Tick
from coxswain.api.triggers import PollState, Source, Trigger
from coxswain.errors import UserError
from coxswain.reconcile import actions, instants, key
from coxswain.reconcile.key import Key
from coxswain.rules import event_filter, polls, webhooks
from coxswain.rules.signing import SigningKey
from coxswain_controllers.schedule import form
from coxswain_controllers.schedule.decide import decide
from coxswain_controllers.schedule.form import Readable
from coxswain_controllers.schedule.snapshot import Happened, Heard, JobSeen, ScheduleSnapshot
from tests.support.builders import ScheduleBuilder
from tests.support.snapshots import CREATED, NOW
from tests.support.transitions.effects import jobs

Body = dict[str, Any]
TRUE = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
FOUND = Seen(ConditionType.AGENT_READY, "True", "Found")
LATER = datetime(2028, 2, 1, tzinfo=NOW.tzinfo)
SOURCES: tuple[Source, ...] = ("Webhook", "Poll")
SECRET = b"a secret of thirty-two bytes, so"


def views(spec: Body) -> Iterator[tuple[str, object]]:
    """The Job that it makes, its ticks, and what it hears from inside and outside."""
    read = form.of_schedule(ScheduleBuilder("Schedule", "report", spec=spec).raw)
    if isinstance(read.readable, UserError):
        yield "unreadable", read.readable.message
        return
    readable = read.readable
    made = _made(spec, readable)
    yield "labels", made["metadata"]["labels"]
    for name, found in jobs.views(made["spec"]):
        yield f"Job: {name}", found
    first = next(readable.ticking.after(CREATED), None)
    yield "comes", _decided(spec, Standing(), NOW)
    yield "late", first and _decided(spec, Standing(), first + timedelta(seconds=610))
    for seconds in (10, 850, 950):
        yield f"waits for {seconds} s", _decided(spec, _line(readable, seconds), LATER, _running())
    yield "failed", _decided(spec, _line(readable, 0, 0), LATER, _ended("Failed"))
    answered = _ended("Succeeded", "HEARTBEAT_OK")
    yield "answered", _decided(spec, _line(readable, 0, 0), LATER, answered)
    yield "left", _decided(spec, _standing(readable), LATER, _history())
    yield "hears", _heard(spec, readable)
    yield "comes from outside", _outside(spec, readable)
    yield "hook", _hook(readable)
    yield "page", _page(readable)


def _snapshot(spec: Body, standing: Standing, more: Mapping[str, JobSeen]) -> ScheduleSnapshot:
    raw = ScheduleBuilder("Schedule", "report", spec=spec).raw
    read = form.of_schedule(raw)
    return ScheduleSnapshot(
        key=key.of("Schedule", raw),
        metadata=read.metadata,
        readable=read.readable,
        status=read.status,
        template=spec["jobTemplate"],
        standing=standing,
        records=TRUE,
        agent=FOUND,
        jobs=more,
    )


def _decided(
    spec: Body,
    standing: Standing,
    now: datetime,
    more: Mapping[str, JobSeen] | None = None,
    heard: Heard | None = None,
) -> list[object]:
    """The status, when it looks again, and what it does, but for the trigger and template as they stand."""
    snapshot = _snapshot(spec, standing, more or {})
    decision = decide(replace(snapshot, heard=heard or Heard()), now)
    return [decision.status, decision.wake_at, *map(_act, decision.actions)]


def _act(action: actions.Action) -> object:
    match action:
        case actions.KeepTicks(change):
            return replace(change, state=replace(change.state, trigger=""))
        case actions.FireTick():
            return (action.tick, action.until, action.overlap)
        case _:
            return action


def _made(spec: Body, readable: Readable) -> Body:
    """The Job of a tick that somebody asked for."""
    free = {**spec, "suspend": False}
    tick = _tick("asked", LATER, source="Trigger")
    found = decide(_snapshot(free, _standing(readable, tick), {}), LATER).actions
    (made,) = [each.manifest for each in found if isinstance(each, actions.FireTick)]
    return made


def _standing(readable: Readable, *open_: Tick, through: datetime = LATER) -> Standing:
    return Standing(ScheduleState(readable.trigger, through, position=1), open=open_)


def _line(readable: Readable, seconds: float, length: int = 5) -> Standing:
    """A tick whose Job runs, and others that came due so long ago."""
    due = LATER - timedelta(seconds=seconds)
    runs = replace(_tick("first", due, job="job"), outcome="Fired", job_uid="uid-job")
    return _standing(readable, runs, *(_tick(f"t{n}", due) for n in range(length)))


def _tick(name: str, at: datetime, source: Any = "Time", job: str | None = None) -> Tick:
    return Tick(id=name, source=source, at=at, due_at=at, through=at, job_name=job)


def _key(name: str) -> Key:
    return Key("Job", "team", name, f"uid-{name}")


def _running() -> dict[str, JobSeen]:
    return {"job": JobSeen(_key("job"), "Running")}


def _ended(phase: str, answer: str | None = None) -> dict[str, JobSeen]:
    return {"job": JobSeen(_key("job"), phase, ended_at=LATER, answer=answer)}


def _history() -> dict[str, JobSeen]:
    """Jobs that ended and are in the records: five of each sort."""
    return {
        f"{phase}-{n}": JobSeen(
            _key(f"{phase}-{n}"), phase, ended_at=LATER - timedelta(hours=n), is_recorded=True
        )
        for phase in ("Succeeded", "Failed")
        for n in range(5)
    }


def _heard(spec: Body, readable: Readable) -> object:
    """Events of which some are taken, and what becomes of two that come one after the other."""
    wanted = readable.spec.on_event
    events = [
        Event(UUID(int=1), type_, "ada", "team", details=details)
        for type_ in ("user.note", "user.other", "user.note.more")
        for details in ({"colour": "blue"}, {"shape": "blue"}, {"colour": "blue2"}, {})
    ]
    taken = [wanted is not None and event_filter.matches(wanted, each) for each in events]
    times = (LATER - timedelta(seconds=60.5), LATER)
    heard = Heard(tuple(Happened(n + 2, at, {}) for n, at in enumerate(times)), position=9)
    return taken, _decided(spec, _standing(readable), LATER, {}, heard)


def _outside(spec: Body, readable: Readable) -> object:
    come = tuple(
        Trigger(UUID(int=n), "uid", source, "d", "sha256:0", LATER)
        for n, source in enumerate(SOURCES)
    )
    standing = replace(_standing(readable), triggers=come)
    return _decided(spec, standing, LATER)


def _hook(readable: Readable) -> object:
    """One body, signed in every way."""
    hook = readable.spec.webhook
    if hook is None:
        return None
    made = hmac.new(SECRET, b"{}", hashlib.sha256).hexdigest()
    headers = [
        ("X-Sign", made),
        ("X-Signature-256", made),
        ("X-Hub-Signature-256", f"sha256={made}"),
        ("X-GitHub-Delivery", "d-1"),
    ]
    tried = [headers[:1], headers[1:2], headers[2:]]
    now = LATER.timestamp()
    return [webhooks.verify(hook, each, b"{}", [SigningKey(SECRET)], now) for each in tried]


def _page(readable: Readable) -> object:
    page = readable.spec.poll
    if page is None:
        return None
    before = PollState("https://page.example/", "one", checked_at=instants.read(None))
    return polls.judge(page, before, "other", 0.5)
