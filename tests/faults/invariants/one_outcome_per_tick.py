"""Of each tick the log tells one outcome, and each Job of a Schedule is that of one tick that has fired."""

from collections import Counter
from collections.abc import Iterator

from coxswain.api.event_types.schedule import ENDED, SCHEDULE_FIRED
from tests.faults.history import Body, Breach, History

TYPES = {each.name for each in ENDED.values()}


def breaches(history: History) -> Iterator[Breach]:
    """At the end."""
    ticks: Counter[tuple[str, str, str]] = Counter()
    fired: Counter[tuple[str, str]] = Counter()
    for event in (each.event for each in history.events):
        if event.type in TYPES:
            ticks[str(event.uid), event.details["tick"], event.details["source"]] += 1
        if event.type == SCHEDULE_FIRED.name:
            fired[str(event.uid), event.details["job"]] += 1
    for (schedule, tick, source), times in ticks.items():
        if times > 1:
            yield Breach(0, f"tick {tick} ({source}) of {schedule} has {times} outcomes")
    made = Counter(_made_by(each) for each in history.last.values() if each.get("kind") == "Job")
    for place, times in made.items():
        if place is not None and (times, fired[place]) != (1, 1):
            schedule, job = place
            yield Breach(
                0, f"{job} was made {times} times, and {fired[place]} ticks of {schedule} fired it"
            )
    for schedule, job in fired.keys() - made.keys():
        yield Breach(0, f"a tick of {schedule} fired {job}, which never was")


def _made_by(job: Body) -> tuple[str, str] | None:
    """The uid of the Schedule that made a Job, and the Job's name."""
    for each in job["metadata"].get("ownerReferences") or ():
        if each["kind"] == "Schedule":
            return str(each["uid"]), str(job["metadata"]["name"])
    return None
