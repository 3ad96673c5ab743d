"""Our objects as people read them: from the mirror, or while it lags, from the API server."""

from datetime import datetime
from typing import Any

from coxswain.api import lineage
from coxswain.errors import NotFoundError
from coxswain.kube import paths
from coxswain.sidecar import cursors
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import Resource, ResourceList
from coxswain.store import mirror
from coxswain.store.mirror import Cursor, Page
from coxswain.store.pool import Store

QUEUED = "Queued"
PENDING = "Pending"
PLURALS = {"Job": "jobs", "Agent": "agents", "Schedule": "schedules", "Lease": "leases"}
_NEW = {"Job": QUEUED, "Agent": PENDING, "Schedule": PENDING, "Lease": PENDING}


async def find(store: Store, cluster: Objects, kind: str, workspace: str, name: str) -> Resource:
    """The living object of that name. Raises NotFoundError, UnavailableError."""
    row = await store.run(mirror.get, kind, workspace, name)
    if row is not None:
        return of(row.body, kind)
    # Just made, and the operator has not written it yet; or it is not there.
    return of(await live(cluster, kind, workspace, name), kind)


async def live(cluster: Objects, kind: str, workspace: str, name: str) -> dict[str, Any]:
    """The object as the API server has it. Raises NotFoundError, UnavailableError."""
    try:
        return await cluster.get(paths.of(PLURALS[kind], workspace, name))
    except NotFoundError as error:
        raise NotFoundError(f"there is no {kind} '{name}' in workspace '{workspace}'") from error


async def uid(store: Store, cluster: Objects, kind: str, workspace: str, name: str) -> str:
    """The id of an object whose records are asked for, also after it is gone."""
    row = await store.run(mirror.last, kind, workspace, name)
    if row is not None:
        return row.uid
    return of(await live(cluster, kind, workspace, name), kind).id


def of(raw: dict[str, Any], kind: str) -> Resource:
    """An object of the API server as people read it."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    return Resource(
        id=metadata["uid"],
        kind=kind,
        workspace=metadata["namespace"],
        name=metadata["name"],
        status=str(status.get("phase") or _NEW[kind]),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        generation=int(metadata.get("generation", 0)),
        version=str(metadata["resourceVersion"]),
        spec=raw.get("spec") or {},
        details=status,
        lineage=lineage.read(metadata.get("annotations") or {}),
    )


def listed(page: Page) -> ResourceList:
    """A page of the mirror as people read it."""
    return ResourceList(
        items=[of(row.body, row.kind) for row in page.objects],
        next=write_cursor(page.next) if page.next is not None else None,
    )


def etag(resource: Resource) -> str:
    """The tag of one object: its version, and its place in line where that is told."""
    place = f"+{resource.line.ahead}" if resource.line is not None else ""
    return f'"{resource.version}{place}"'


def write_cursor(cursor: Cursor) -> str:
    """A place in a list of objects, as opaque text."""
    return cursors.write(cursor.created_at, cursor.uid)


def read_cursor(text: str | None) -> Cursor | None:
    """The place that ``write_cursor`` wrote down. Raises UserError malformed."""
    if text is None:
        return None
    at, uid = cursors.read(text, cursors.instant, cursors.uuid)
    return Cursor(at, uid)
