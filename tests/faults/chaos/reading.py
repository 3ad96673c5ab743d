"""What a run left behind beside the revisions: the event log, the rows, the ticks, the agents' own lines."""

import json
from dataclasses import dataclass
from typing import Any, cast

from coxswain.api.records import Event, Run
from coxswain.client.models import EventView, TickView
from coxswain.store import runs
from coxswain.store.events import StoredEvent
from devtools import api_client
from devtools.api_client import Api
from devtools.errors import ToolError
from devtools.kubectl import Kubectl
from tests.faults.chaos.load import SCHEDULE
from tests.faults.history import Effect
from tests.support import database

OK = 200
# Words in a query of psql's command line: no quotation mark and no dollar in it.
_LOG = "SELECT json_build_object('first', min(position), 'last', max(position), 'count', count(*)) FROM events"
_RUNS = "SELECT coalesce(json_agg(to_json(runs)), '[]') FROM runs WHERE workspace = '{}'"
_MIRROR = (
    "SELECT coalesce(json_object_agg(uid, resource_version), '{{}}') FROM mirror"
    " WHERE workspace = '{}' AND deleted_at IS NULL AND kind IN ('Agent', 'Job', 'Schedule', 'Lease')"
)


@dataclass(frozen=True)
class Log:
    """The part of the whole event log that was written during the run, by its positions."""

    first: int
    last: int
    count: int


@dataclass(frozen=True)
class Left:
    """All that was read."""

    events: tuple[StoredEvent, ...]
    runs: tuple[Run, ...]
    effects: tuple[Effect, ...]
    ticks: tuple[TickView, ...]
    log: Log


NOTHING = Left((), (), (), (), Log(0, 0, 0))


def head(kubectl: Kubectl) -> int:
    """The last position of the event log."""
    return int(database.value(kubectl, "SELECT position FROM event_head"))


def mirrored(kubectl: Kubectl, workspace: str) -> dict[str, str]:
    """The resourceVersion of each object of ours that the records take for living, by uid."""
    found: dict[str, str] = json.loads(database.value(kubectl, _MIRROR.format(workspace)))
    return found


def left(kubectl: Kubectl, workspace: str, ledger: str, began: int) -> Left:
    """Read what came after a position of the log. The Job ``ledger``, if any, has printed the agents' own."""
    with api_client.forwarded(kubectl) as api, api.client() as client:
        events = client.events.list(after=began, workspace=workspace)
        told = tuple(stored(each) for each in events if isinstance(each, EventView))
        ticks = tuple(client.schedules.ticks(workspace, SCHEDULE))
        lines = _printed(api, workspace, ledger) if ledger else ""
    rows = json.loads(database.value(kubectl, _RUNS.format(workspace)))
    positions = json.loads(database.value(kubectl, f"{_LOG} WHERE position > {began}"))
    log = Log(int(positions["first"] or 0), int(positions["last"] or 0), int(positions["count"]))
    # runs.stored asks a row for its columns by name, and a dict answers as well.
    found = tuple(runs.stored(cast("Any", each)) for each in rows)
    return Left(told, found, effects(lines), ticks, log)


def _printed(api: Api, workspace: str, job: str) -> str:
    answer = api.get(f"/v1/workspaces/{workspace}/jobs/{job}/log")
    if answer.status != OK:
        raise ToolError(f"the log of {job} is answered with {answer.status}: {answer.body}")
    return answer.body


def stored(view: EventView) -> StoredEvent:
    """An event as the API gives it, as the invariants read it."""
    event = Event(
        id=view.id,
        type=view.type,
        actor=view.actor,
        workspace=view.workspace,
        kind=view.kind,
        name=view.name,
        uid=view.uid,
        attempt=view.attempt,
        seq=view.seq,
        details=view.details,
        version=view.event_version,
    )
    return StoredEvent(view.position, view.at, view.recorded_at, event)


def effects(lines: str) -> tuple[Effect, ...]:
    """What agents wrote down: a line ``JOB-UID/ATTEMPT`` each. Of pod and token they know nothing."""
    found = []
    for line in lines.splitlines():
        uid, slash, attempt = line.strip().rpartition("/")
        if not slash or not attempt.isdecimal():
            raise ValueError(f"the agents' own ledger has a line {line!r}")
        found.append(Effect(uid, int(attempt), "", 0))
    return tuple(found)
