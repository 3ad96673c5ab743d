"""Which Jobs wait for a Job of that name: an index, so that an end wakes them without a search."""

from collections import defaultdict

from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.key import Key


class Dependents:
    """Memory only: every Job is looked at when a leader starts."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], dict[str, Key]] = defaultdict(dict)

    def keep(self, job: Raw) -> None:
        """Note whom a Job waits for; what it waits for never changes."""
        key = keys.of("Job", job)
        for name in names_of(job):
            self._waiting[key.namespace, name][key.uid] = key

    def forget(self, job: Raw) -> None:
        """A Job has ended or is gone: it waits for nobody."""
        key = keys.of("Job", job)
        for name in names_of(job):
            waiting = self._waiting.get((key.namespace, name), {})
            waiting.pop(key.uid, None)
            if not waiting:
                self._waiting.pop((key.namespace, name), None)

    def of(self, job: Raw) -> list[Key]:
        """Those who wait for this Job."""
        metadata = job["metadata"]
        return list(self._waiting.get((metadata["namespace"], metadata["name"]), {}).values())


def names_of(job: Raw) -> list[str]:
    """The names of the Jobs that a Job waits for, as far as they can be read."""
    found = (job.get("spec") or {}).get("dependsOn")
    if not isinstance(found, list):
        return []
    return [str(each["name"]) for each in found if isinstance(each, dict) and "name" in each]
