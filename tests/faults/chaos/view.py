"""What is there now, as the watches have it; read from other threads too."""

from collections.abc import Callable

from coxswain import names
from tests.faults.history import Body

ENDED = ("Succeeded", "Failed", "Cancelled")


class View:
    """Every living object of the workspace."""

    def __init__(self) -> None:
        self._objects: dict[str, Body] = {}

    def put(self, uid: str, raw: Body | None) -> None:
        """An object is so now; None, it is gone."""
        if raw is None:
            self._objects.pop(uid, None)
        else:
            self._objects[uid] = raw

    def of_kind(self, kind: str) -> list[Body]:
        """The objects of a kind of ours or of the core, by name."""
        # One step for the interpreter: the other thread changes the dict between two of ours.
        found = [each for each in list(self._objects.values()) if each.get("kind") == kind]
        return sorted((each for each in found if _is_ours(each)), key=name_of)

    def jobs(self, fits: Callable[[str], bool]) -> list[Body]:
        """The Jobs whose phase fits; one without a status has an empty one."""
        return [each for each in self.of_kind("Job") if fits(phase_of(each))]

    def job(self, name: str) -> Body | None:
        """A Job by its name."""
        return next((each for each in self.of_kind("Job") if name_of(each) == name), None)

    def agents_pods(self) -> list[Body]:
        """Pods of attempts that run and that nobody has deleted."""
        return [
            each
            for each in self.of_kind("Pod")
            if names.LABEL_ATTEMPT in (each["metadata"].get("labels") or {})
            and phase_of(each) == "Running"
            and "deletionTimestamp" not in each["metadata"]
        ]


def name_of(raw: Body) -> str:
    """The name of an object."""
    return str(raw["metadata"]["name"])


def phase_of(raw: Body) -> str:
    """Its phase; empty before the first."""
    return str((raw.get("status") or {}).get("phase") or "")


def _is_ours(raw: Body) -> bool:
    group = str(raw.get("apiVersion", "")).rpartition("/")[0]
    return group in ("", names.GROUP)
