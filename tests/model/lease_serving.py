"""What the API server and the records answer to a Lease's pass, and what each request changes.

The records' part follows ``store.leases.keeping``; the store tier holds those to the same.
"""

import json
from typing import Any

from coxswain.api.records import Lease
from coxswain.kube import paths
from coxswain.reconcile import actions
from coxswain.rules import leasing
from tests.model.explore import BrokenError
from tests.model.forms import Told
from tests.model.lease_forms import KEY, Held, Object, State, freed, pod_name, status_of, woken
from tests.model.passes import Ask, asking
from tests.support import builders

PATH = paths.of("leases", builders.NAMESPACE, "deploy")
WRITES = ("define", "reclaim", "write status")
LEAP = 10
"""Instead of a million: more than is given out here."""


class Wire:
    """The client and the records as a pass calls them: each call is a request that waits."""

    async def get(self, path: str) -> Any:
        """Read an object live."""
        return await asking(Ask("get", "Lease" if path == PATH else "pod", path))

    async def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Write the status."""
        metadata, change = body["metadata"], json.dumps(body["status"], sort_keys=True)
        version = metadata.get("resourceVersion")
        number = None if version is None else int(version)
        return await asking(Ask("write status", path, metadata.get("uid"), number, change))

    async def lease(self, *_place: object) -> tuple[Lease | None, None]:
        """The row."""
        return await asking(Ask("read row", "deploy")), None

    async def change_lease(self, action: actions.LeaseChange) -> None:
        """Write what was decided."""
        if isinstance(action, actions.DefineLease):
            new = action.lease
            await asking(Ask("define", "row", body=(new.last_token, new.last_holder)))
        elif isinstance(action, actions.ReclaimLease):
            await asking(Ask("reclaim", "row", body=action.token))


def answer(state: State, ask: Ask, *, leads: bool) -> tuple[State, Told]:
    """The state once a request is carried out, and what is answered."""
    if ask.verb in ("define", "reclaim") and not leads:
        return state, Told("error", "fenced")
    match ask.verb:
        case "get":
            return state, _got(state, ask)
        case "read row":
            return state, Told("held", state.row)
        case "define":
            return _define(state, *ask.body), Told("word", "defined")
        case "reclaim":
            return _reclaim(state, ask.body), Told("word", "reclaimed")
        case "write status":
            return _write(state, ask)
        case _:
            raise BrokenError(f"nobody knows how to {ask.verb}")


def _got(state: State, ask: Ask) -> Told:
    if ask.name == "Lease":
        return Told("lease", state.lease)
    run = state.run
    if run is None or run.pod == "Gone" or not (ask.uid or "").endswith(pod_name(run.number)):
        return Told("error", "not found")
    return Told("holder", run)


def _define(state: State, last_token: int, last_holder: str | None) -> State:
    """As ``keeping.define``."""
    row = state.row
    if row is None:
        floor = last_token + (LEAP if last_token else 0)
        reason = "" if last_holder is None else leasing.RESTORED
        word = "Free" if last_holder is None else "Quarantined"
        return woken(state, Held(last_token, floor, word, reason, None, last_holder))
    if last_token > row.token:
        reason = "" if last_holder is None else leasing.RESTORED
        word = "Free" if last_holder is None else "Quarantined"
        row = Held(last_token, row.floor, word, reason, None, last_holder, False, row.is_confirmed)
    floor = max(row.floor, last_token)
    if not row.is_confirmed:
        floor = max(row.floor, row.token, last_token) + LEAP
    return woken(state, row._replace(floor=floor, is_confirmed=True))


def _reclaim(state: State, token: int) -> State:
    """As ``keeping.reclaim``."""
    row = state.row
    if row is None or row.state != "Quarantined" or row.token != token:
        return state
    return woken(state, freed(row, "Expired"))


def _write(state: State, ask: Ask) -> tuple[State, Told]:
    if ask.version is None or ask.uid != KEY.uid:
        raise BrokenError("a status is written without uid and resourceVersion")
    if ask.version != state.lease.version:
        return state, Told("error", "conflict")
    found = {**status_of(state.lease), **json.loads(ask.body)}
    kept = {name: each for name, each in found.items() if each is not None}
    lease = Object(json.dumps(kept, sort_keys=True), state.lease.version + 1)
    return state._replace(lease=lease), Told("lease", lease)
