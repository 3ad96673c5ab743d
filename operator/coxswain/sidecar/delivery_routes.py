"""The outbox for people: what was delivered, what was given up and why, and another round for it."""

from datetime import UTC, datetime

from coxswain.api.deliveries import Delivery
from coxswain.api.event_types.callback import CALLBACK_REDRIVEN, CallbackRedriven
from coxswain.api.records import Event
from coxswain.errors import NotFoundError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import delivery_wire, objects, owning
from coxswain.sidecar.delivery_wire import (
    DeliveryList,
    DeliveryPath,
    DeliveryQuery,
    DeliveryView,
    DeliveryWithTries,
    RedriveRequest,
)
from coxswain.sidecar.wire import WorkspacePath
from coxswain.store import mirror, outbox, uuid7
from coxswain.store.outbox import Query
from coxswain.store.pool import Store
from coxswain.web.auditing import Kept
from coxswain.web.routes import Call, route


class DeliveryRoutes:
    """Routes for people."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @route("GET", "/v1/deliveries")
    async def list_deliveries(
        self, call: Call, caller: UserCaller, query: DeliveryQuery
    ) -> DeliveryList:
        """List the deliveries of all workspaces that one may see, newest first."""
        return await self._list(caller.workspaces, query)

    @route("GET", "/v1/workspaces/{workspace}/deliveries")
    async def list_workspace_deliveries(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: DeliveryQuery
    ) -> DeliveryList:
        """List the deliveries of a workspace, newest first."""
        return await self._list(frozenset({path.workspace}), query)

    @route("GET", "/v1/workspaces/{workspace}/deliveries/{delivery}", errors=(404,))
    async def get_delivery(
        self, call: Call, caller: UserCaller, path: DeliveryPath
    ) -> DeliveryWithTries:
        """Read a delivery with what came of each try."""
        found = await self._store.run(outbox.get, path.workspace, path.delivery)
        if found is None:
            raise _unknown(path)
        tries = await self._store.run(outbox.tries, found.id)
        log = [delivery_wire.try_view(each) for each in tries]
        return DeliveryWithTries(**dict(delivery_wire.view(found)), log=log)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/deliveries/{delivery}/redrive",
        status=202,
        errors=(404, 409),
        kept=Kept.WITH,
    )
    async def redrive_delivery(
        self, call: Call, caller: UserCaller, path: DeliveryPath, body: RedriveRequest
    ) -> DeliveryView:
        """Have a dead or skipped delivery tried again, as often as a new one.

        Of one that is pending it changes nothing; the same again begins anew if it was given up by then.
        409 delivery_delivered if it was taken.
        """
        found = await self._store.run(outbox.get, path.workspace, path.delivery)
        if found is None:
            raise _unknown(path)
        job = await self._store.run(mirror.by_uid, found.job_uid)
        owning.require(caller, {"metadata": {}} if job is None else job.body)
        event = _redriven(found, caller)
        again = await self._store.transact(outbox.redrive, path.workspace, path.delivery, event)
        return delivery_wire.view(again or found)

    async def _list(self, workspaces: frozenset[str] | None, query: DeliveryQuery) -> DeliveryList:
        wanted = Query(workspaces, query.state, query.job)
        cursor = objects.read_cursor(query.cursor)
        page = await self._store.run(outbox.page, wanted, cursor, limit=query.limit)
        return DeliveryList(
            items=[delivery_wire.view(each) for each in page.items],
            next=objects.write_cursor(page.next) if page.next is not None else None,
        )


def _unknown(path: DeliveryPath) -> NotFoundError:
    return NotFoundError(f"there is no delivery '{path.delivery}' in workspace '{path.workspace}'")


def _redriven(found: Delivery, caller: UserCaller) -> Event:
    return Event.of(
        CALLBACK_REDRIVEN,
        CallbackRedriven(delivery=str(found.id), was=found.state.value, reason=found.reason),
        id=uuid7.new(datetime.now(UTC)),
        actor=str(caller),
        workspace=found.workspace,
        name=found.job_name,
        uid=found.job_uid,
    )
