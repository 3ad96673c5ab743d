"""What the API server and the records answer to a Job's pass, and what each request changes.

The records' part follows the statements of ``store.runs``; the store tier holds those to the same.
"""

import json
from collections.abc import Mapping
from typing import Any

from coxswain import names
from coxswain.api.records import NewRun, Run, RunKey
from coxswain.kube import paths
from coxswain.store.runs import SUPERSEDED, Closing
from tests.model import forms
from tests.model.explore import BrokenError
from tests.model.forms import Pod, Row, Told
from tests.model.passes import AVAILABLE, Ask, asking
from tests.support import builders

WRITES = ("create pod", "delete pod", "write status", "open row", "close row", "restore row")
OF_RECORDS = ("open row", "close row", "restore row")
POD_PATH = paths.of("pods", builders.NAMESPACE, "")
JOB_PATH = paths.of("jobs", builders.NAMESPACE, forms.NAME)
ATTEMPTS = {forms.name_of(number): number for number in range(1, 40)}


class Wire:
    """The client and the records as a pass calls them: each call is a request that waits."""

    async def get(self, path: str) -> Any:
        """Read an object live."""
        if path == JOB_PATH:
            return await asking(Ask("get", "Job"))
        return await asking(Ask("get", "pod", path.removeprefix(POD_PATH)))

    async def create(self, path: str, manifest: dict[str, Any]) -> Any:
        """Make a pod."""
        metadata = manifest["metadata"]
        owner = tuple(each["uid"] for each in metadata.get("ownerReferences", ()))
        label = metadata["labels"][names.LABEL_ATTEMPT]
        return await asking(
            Ask("create pod", label, metadata["name"], body=(path, *owner, int(label)))
        )

    async def delete(
        self,
        path: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
    ) -> Any:
        """End a pod."""
        name = path.removeprefix(POD_PATH)
        number = str(ATTEMPTS.get(name, 0))
        return await asking(Ask("delete pod", number, name, body=(uid, resource_version)))

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Write a status."""
        metadata = body.get("metadata") or {}
        version = metadata.get("resourceVersion")
        change = json.dumps(body.get("status"), sort_keys=True)
        number = None if version is None else int(version)
        return await asking(
            Ask("write status", "Job", metadata.get("uid"), number, body=(path, change))
        )

    async def text(self, _path: str, _query: Mapping[str, str]) -> str:
        """A pod's log; it has written nothing."""
        return ""

    def condition(self) -> Any:
        """That the records answer."""
        return AVAILABLE

    async def run_state(self, run: RunKey) -> Run | None:
        """The row of an attempt."""
        found: Run | None = await asking(Ask("read row", str(run.attempt)))
        return found

    async def open_run(self, new: NewRun) -> Run:
        """Write the row of an attempt."""
        body = (new.pod_name, new.last_token)
        found: Run = await asking(Ask("open row", str(new.key.attempt), body=body))
        return found

    async def close_run(self, closing: Closing) -> bool:
        """Refuse what a run still says."""
        body = (closing.reason, closing.knows_result)
        found: bool = await asking(Ask("close row", str(closing.key.attempt), body=body))
        return found

    async def restore_run(self, new: NewRun, token: int, pod_uid: str) -> None:
        """Write a lost row again."""
        await asking(Ask("restore row", str(new.key.attempt), body=(token, pod_uid)))

    async def ask_to_end(self, _run: RunKey) -> bool:
        """Have the pod told; it may not listen."""
        return True


def answer(state: Any, ask: Ask, *, leads: bool) -> tuple[Any, Told]:
    """The state once a request is carried out, and what is answered."""
    if ask.verb in OF_RECORDS and not leads:
        return state, Told("error", "fenced")
    match ask.verb:
        case "get":
            return state, _got(state, ask)
        case "read row":
            number = int(ask.name)
            row = _row(state, number)
            return state, Told("row", None if row is None else (number, row))
        case "create pod":
            return _create(state, ask)
        case "delete pod":
            return _delete(state, ask)
        case "write status":
            return _write(state, ask)
        case "open row":
            return _open(state, ask)
        case "close row":
            return _close(state, ask)
        case "restore row":
            return _restore(state, ask)
        case _:
            raise BrokenError(f"nobody knows how to {ask.verb}")


def changed(state: Any, pod: Pod, **fields: Any) -> Any:
    """The state with another form of a pod."""
    new = pod._replace(**fields, version=pod.version + 1)
    return state._replace(pods=tuple(new if each is pod else each for each in state.pods))


def with_row(state: Any, number: int, row: Row) -> Any:
    """The state with the row of an attempt as it becomes."""
    rows = list(state.rows) + [None] * (number - len(state.rows))
    rows[number - 1] = row
    return state._replace(rows=tuple(rows))


def _row(state: Any, number: int) -> Row | None:
    found: Row | None = state.rows[number - 1] if number <= len(state.rows) else None
    return found


def _named(state: Any, name: str) -> Pod | None:
    return next((pod for pod in state.pods if forms.name_of(pod.attempt) == name), None)


def _got(state: Any, ask: Ask) -> Told:
    if ask.name == "Job":
        return Told("job", state.job)
    pod = _named(state, ask.uid or "")
    return Told("error", "not found") if pod is None else Told("pod", pod)


def _create(state: Any, ask: Ask) -> tuple[Any, Told]:
    number = int(ask.name)
    if ask.uid != forms.name_of(number) or forms.UID not in (ask.body or ()):
        raise BrokenError(f"a pod is made as {ask.uid}, whose name is not that of attempt {number}")
    if _named(state, ask.uid) is not None:
        return state, Told("error", "exists")
    if _row(state, number) is None:
        raise BrokenError(f"the pod of attempt {number} is made before its row stands")
    born = list(state.born) + [0] * (number - len(state.born))
    born[number - 1] += 1
    pod = Pod(number, born[number - 1], state.clock)
    after = state._replace(pods=(*state.pods, pod), born=tuple(born))
    return after, Told("pod", pod)


def _delete(state: Any, ask: Ask) -> tuple[Any, Told]:
    uid, _ = ask.body
    if uid is None:
        raise BrokenError(f"pod {ask.name} is deleted by its name alone")
    pod = _named(state, ask.uid or "")
    if pod is None:
        return state, Told("error", "not found")
    if pod.uid != uid:
        return state, Told("error", "conflict")
    done = Told("word", "deleted")
    return (state, done) if pod.is_deleting else (changed(state, pod, is_deleting=True), done)


def _write(state: Any, ask: Ask) -> tuple[Any, Told]:
    _, text = ask.body
    if ask.version is None or ask.uid != forms.UID:
        raise BrokenError("a status is written without uid and resourceVersion")
    if ask.version != state.job.version:
        return state, Told("error", "conflict")
    found = {**forms.status_of(state.job), **json.loads(text)}
    status = json.dumps({k: v for k, v in found.items() if v is not None}, sort_keys=True)
    job = state.job._replace(status=status, version=state.job.version + 1)
    return state._replace(job=job), Told("job", job)


def _open(state: Any, ask: Ask) -> tuple[Any, Told]:
    number, (name, last) = int(ask.name), ask.body
    if name != forms.name_of(number):
        raise BrokenError(f"the row of attempt {number} is opened for pod {name}")
    state = _superseded(state, number)
    row = _row(state, number)
    if row is None:
        tokens = [each.token for each in state.rows if each is not None]
        row = Row(1 + max([last, *tokens]))
        state = with_row(state, number, row)
    return state, Told("row", (number, row))


def _superseded(state: Any, number: int) -> Any:
    rows = [
        each._replace(closed=SUPERSEDED)
        if each is not None and each.closed is None and at < number
        else each
        for at, each in enumerate(state.rows, start=1)
    ]
    return state._replace(rows=tuple(rows))


def _close(state: Any, ask: Ask) -> tuple[Any, Told]:
    number, (reason, knows) = int(ask.name), ask.body
    row = _row(state, number)
    if row is None or row.closed is not None:
        return state, Told("yes", what=True)
    if row.result is not None and not knows:
        return state, Told("yes", what=False)
    return with_row(state, number, row._replace(closed=reason)), Told("yes", what=True)


def _restore(state: Any, ask: Ask) -> tuple[Any, Told]:
    number, (token, uid) = int(ask.name), ask.body
    if _row(state, number) is None:
        row = Row(token, uid, state.clock)
        state = with_row(_superseded(state, number), number, row)
    return state, Told("word", "restored")
