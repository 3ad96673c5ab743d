"""When everything has come to its end: what the records hold is what the cluster holds."""

import asyncio
from collections.abc import Sequence

from coxswain.store import mirror
from coxswain.store.pool import Store
from tests.support.workspace import Workspace

KINDS = {"Agent": "agents", "Job": "jobs", "Schedule": "schedules", "Lease": "leases"}
LOOK_SECONDS = 0.25


async def until_settled(workspace: Workspace, store: Store) -> None:
    """Wait until the mirror has every object in its newest form, and no other."""
    while await _differs(workspace, store):  # noqa: ASYNC110 - others do it
        await asyncio.sleep(LOOK_SECONDS)


async def _differs(workspace: Workspace, store: Store) -> bool:
    places: Sequence[str] = [workspace.namespace]
    for kind, plural in KINDS.items():
        found = [each["metadata"] for each in await workspace.all(plural)]
        live = {each["uid"]: each["resourceVersion"] for each in found}
        if await store.run(mirror.live, kind, places) != live:
            return True
    return False
