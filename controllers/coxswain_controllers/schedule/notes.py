"""Why a Schedule is held, in a sentence. Pure."""

import json

from coxswain import names
from coxswain.rules.overlap import Reason
from coxswain_controllers.schedule.snapshot import ScheduleSnapshot

_TEXTS = {
    Reason.SUSPENDED: "spec.suspend is true",
    Reason.PAUSED_ON_FAILURE: "a Job of it failed; continue it through the API, or set"
    " spec.pauseOnFailure to false",
    Reason.SWITCHED_OFF: "the installation has Schedules switched off",
}


def of_hold(snapshot: ScheduleSnapshot, reason: str) -> str:
    """What holds it, and what to do."""
    if reason == Reason.PAUSED:
        return _of_pause(snapshot)
    return next((text for each, text in _TEXTS.items() if each == reason), reason)


def _of_pause(snapshot: ScheduleSnapshot) -> str:
    text = snapshot.metadata.annotations.get(names.ANNOTATION_SUSPEND, "")
    try:
        asked = json.loads(text)
        by, why = asked.get("by", "somebody"), asked.get("why")
    except (ValueError, AttributeError):
        return f"annotation {names.ANNOTATION_SUSPEND}"
    return (f"paused by {by}" + (f": {why}" if why else ""))[:1024]
