"""A Schedule as read once per version: its spec, and the ticks of its trigger."""

from dataclasses import dataclass

from coxswain.api.kind import Metadata, Schedule
from coxswain.api.schedule import ScheduleSpec, ScheduleStatus
from coxswain.errors import UserError
from coxswain.reconcile.cache import Raw
from coxswain.rules import ticks, webhooks
from coxswain.rules.ticks import Ticking


@dataclass(frozen=True, slots=True)
class Readable:
    """A spec that fits, and what it means."""

    spec: ScheduleSpec
    ticking: Ticking
    trigger: str
    """The trigger as text: an edit of it begins a new one."""


@dataclass(frozen=True, slots=True)
class ScheduleForm:
    """A Schedule as stored. ``readable`` is an error where nobody can tell when it fires."""

    metadata: Metadata
    status: ScheduleStatus
    readable: Readable | UserError


def of_schedule(raw: Raw) -> ScheduleForm:
    """Read a stored Schedule."""
    return ScheduleForm(Metadata.parse(raw), Schedule.status_of(raw), _readable(raw))


def _readable(raw: Raw) -> Readable | UserError:
    try:
        spec = Schedule.parse(raw).spec
        if spec.webhook is not None and spec.webhook.body_schema is not None:
            webhooks.schema(spec.webhook.body_schema)
        return Readable(spec, ticks.of(spec), ticks.identity(spec))
    except UserError as error:
        return error
