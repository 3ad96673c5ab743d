"""The Job of a tick, from the template. Pure."""

from datetime import timedelta
from typing import Any

from coxswain import names
from coxswain.api.schedule import ScheduleSpec
from coxswain.api.ticks import Tick
from coxswain.reconcile import actions, instants
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot

USER = "user:"


def firing(snapshot: ScheduleSnapshot, spec: ScheduleSpec, tick: Tick) -> actions.FireTick:
    """Make the Job of a tick whose row stands."""
    key = snapshot.key
    patience = spec.starting_deadline_seconds or spec.catch_up_window_seconds
    until = tick.due_at + timedelta(seconds=patience)
    return actions.FireTick(
        uid=key.uid,
        workspace=key.namespace,
        name=key.name,
        tick=tick,
        manifest=job(snapshot, tick),
        until=until,
        overlap=tick.overlap or spec.overlap,
    )


def job(snapshot: ScheduleSnapshot, tick: Tick) -> dict[str, Any]:
    """A Job that carries the Schedule's name and the tick that it is for."""
    key, template = snapshot.key, snapshot.template
    labels = dict((template.get("metadata") or {}).get("labels") or {})
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Job",
        "metadata": {
            "name": names.tick_job(key.name, key.uid, tick.id),
            "namespace": key.namespace,
            "labels": {**labels, names.LABEL_SCHEDULE: key.name},
            "annotations": _annotations(snapshot, tick),
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": "Schedule",
                    "name": key.name,
                    "uid": key.uid,
                    "controller": True,
                }
            ],
        },
        "spec": template["spec"],
    }


def _annotations(snapshot: ScheduleSnapshot, tick: Tick) -> dict[str, str]:
    found = {names.ANNOTATION_TICK: instants.text(tick.at)}
    if requester := _requester(snapshot, tick):
        found[names.ANNOTATION_REQUESTER] = requester
    if tick.cause.get("lineage"):
        found[names.ANNOTATION_LINEAGE] = tick.cause["lineage"]
    return found


def _requester(snapshot: ScheduleSnapshot, tick: Tick) -> str | None:
    """Whose Job it is: of who asked for this tick by hand, else of who made the Schedule."""
    by = str(tick.cause.get("by") or "")
    if by.startswith((USER, names.MACHINE)):
        return by.removeprefix(USER)
    return snapshot.metadata.annotations.get(names.ANNOTATION_REQUESTER)
