"""Leases for people and their programs: make, read, take, renew, let go, hand on."""

from coxswain.api.lease import LeaseSpec
from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import CoxswainError, NotFoundError, UnavailableError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.rules import idempotency, leasing
from coxswain.sidecar import cursors, keyed_objects, lease_waits, lease_wire, making, objects
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.keyed_objects import KeyedObjects, NewObject
from coxswain.sidecar.lease_desk import LeaseDesk
from coxswain.sidecar.lease_wire import (
    AcquireRequest,
    HoldRequest,
    LeaseList,
    LeasePath,
    LeaseQuery,
    LeaseView,
    NewLeaseBody,
    ReclaimRequest,
    RefusedRenewal,
    RenewAnswer,
    RenewRequest,
)
from coxswain.sidecar.object_routes import tagged
from coxswain.sidecar.wire import Resource, WorkspacePath
from coxswain.store import wakes
from coxswain.store.leases import holding, rows
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.leases.rows import Place, Query
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.web import conditional
from coxswain.web.auditing import Kept
from coxswain.web.routes import Answer, Call, route


class LeaseRoutes:
    """Routes for people."""

    def __init__(
        self, store: Store, cluster: Objects, listener: Listener, keyed: KeyedObjects
    ) -> None:
        self._store = store
        self._desk = LeaseDesk(store)
        self._cluster = cluster
        self._keyed = keyed
        self._listener = listener

    @route("POST", "/v1/workspaces/{workspace}/leases", status=201, errors=(404, 409))
    async def create_lease(
        self, call: Call, caller: UserCaller, path: WorkspacePath, body: NewLeaseBody
    ) -> Answer[Resource]:
        """Make a Lease: the same object as ``kubectl apply`` makes.

        With Idempotency-Key the same again answers 200 and the Lease that was made first; another
        spec answers 409 idempotency_key_reused.
        """

        async def make(metadata: making.Body) -> making.Body:
            manifest = making.manifest(metadata, _given(body.spec), caller, kind="Lease")
            return await making.create(self._cluster, path.workspace, manifest, "leases")

        metadata, key = body.metadata.to_wire(), keyed_objects.key_of(call)
        payload = idempotency.payload_hash(path.workspace, body.spec)
        wanted = NewObject("Lease", path.workspace, metadata, payload, key)
        made, status = await self._keyed.create(wanted, make)
        return tagged(made, status=status)

    @route("GET", "/v1/leases")
    async def list_leases(self, call: Call, caller: UserCaller, query: LeaseQuery) -> LeaseList:
        """List the leases of all workspaces that one may see, by workspace and name."""
        return await self._list(caller.workspaces, query)

    @route("GET", "/v1/workspaces/{workspace}/leases")
    async def list_workspace_leases(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: LeaseQuery
    ) -> LeaseList:
        """List the leases of a workspace by name."""
        return await self._list(frozenset({path.workspace}), query)

    @route("GET", "/v1/workspaces/{workspace}/leases/{name}", errors=(404,))
    async def get_lease(self, call: Call, caller: UserCaller, path: LeasePath) -> Answer[LeaseView]:
        """Read a lease as it is at this moment. 503 where the operator has not seen it yet.

        Its ETag is the same while it is not renewed, however many seconds are left.
        """
        place = (path.workspace, path.name)
        found = (await self._store.run(rows.of, [place])).get(place)
        if found is None or found.is_removed:
            raise await self._missing(place)
        shown = lease_wire.view(found)
        steady = shown.model_copy(update={"seconds_left": None})
        tag = conditional.tag_of(steady.model_dump_json().encode())
        return Answer(shown, headers={"ETag": tag})

    @route(
        "POST",
        "/v1/workspaces/{workspace}/leases/{name}/acquire",
        errors=(404, 409),
        kept=Kept.ELSEWHERE,
    )
    async def acquire_lease(
        self, call: Call, caller: UserCaller, path: LeasePath, body: AcquireRequest
    ) -> LeaseView:
        """Take a lease; the same again by its holder answers the same.

        409 lease_held names the holder; lease_quarantined, lease_awaited (somebody is ahead in the
        line), lease_not_stealable, lease_line_full.
        """
        holder = LeaseHolder.of_user(caller.name, body.holder)
        wanted = Wanted(
            path.workspace,
            path.name,
            holder,
            str(caller),
            body.steal,
            body.wait_seconds,
            body.reason,
        )
        taken = await lease_waits.acquire(
            self._store, self._listener, call.request, wanted, self._ask
        )
        return lease_wire.view(taken)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/leases/{name}/renew",
        errors=(404, 409),
        kept=Kept.ELSEWHERE,
    )
    async def renew_lease(
        self, call: Call, caller: UserCaller, path: LeasePath, body: HoldRequest
    ) -> LeaseView:
        """Keep a lease for its whole time from now on.

        409 lease_not_held names the holder; lease_expired: acquire it anew; lease_lost or
        lease_token_unknown where the token is not the latest.
        """
        place = (path.workspace, path.name)
        wanted = Holding(place, LeaseHolder.of_user(caller.name, body.holder), body.token)
        answer = await self._desk.renew(wanted)
        if isinstance(answer, CoxswainError):
            raise await self._explained(place, answer)
        return lease_wire.view(answer)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/leases/{name}/release",
        errors=(404, 409),
        kept=Kept.ELSEWHERE,
    )
    async def release_lease(
        self, call: Call, caller: UserCaller, path: LeasePath, body: HoldRequest
    ) -> LeaseView:
        """Let go of a lease. The same again is harmless; 409 as for renew."""
        place = (path.workspace, path.name)
        wanted = Holding(place, LeaseHolder.of_user(caller.name, body.holder), body.token)
        answer = await self._desk.release(wanted, str(caller))
        if isinstance(answer, CoxswainError):
            raise await self._explained(place, answer)
        return lease_wire.view(answer)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/leases/{name}/reclaim",
        errors=(404, 409),
        kept=Kept.WITH,
    )
    async def reclaim_lease(
        self, call: Call, caller: UserCaller, path: LeasePath, body: ReclaimRequest
    ) -> LeaseView:
        """Say that the holder of this token is gone for good, so that the lease may be taken anew.

        For a lease that is Quarantined or over; 409 lease_held where its holder is well. The same
        again is harmless.
        """
        place = (path.workspace, path.name)
        found = await self._store.transact(
            holding.hand_on, place, body.token, str(caller), body.reason
        )
        return lease_wire.view(found)

    @route("POST", "/v1/workspaces/{workspace}/lease-renewals", kept=Kept.ELSEWHERE)
    async def renew_leases(
        self, call: Call, caller: UserCaller, path: WorkspacePath, body: RenewRequest
    ) -> RenewAnswer:
        """Renew up to 1000 leases in one statement; each is renewed or refused by itself."""
        wanted = [
            Holding(
                (path.workspace, each.name),
                LeaseHolder.of_user(caller.name, each.holder),
                each.token,
            )
            for each in body.renewals
        ]
        if len({each.place for each in wanted}) < len(wanted):
            raise UserError("name each lease once", field="renewals")
        answers = await self._store.transact(holding.renew, wanted)
        return RenewAnswer(
            renewed=[lease_wire.view(each) for each in answers if isinstance(each, Lease)],
            refused=[
                RefusedRenewal(name=each.place[1], code=answer.code, message=answer.message)
                for each, answer in zip(wanted, answers, strict=True)
                if isinstance(answer, CoxswainError)
            ],
        )

    async def _ask(self, wanted: Wanted) -> Lease | Refused:
        answer = await self._desk.acquire(wanted)
        if isinstance(answer, Refused) and answer.ahead is None:
            place = (wanted.workspace, wanted.name)
            return Refused(await self._explained(place, answer.why))
        return answer

    async def _explained(self, place: Place, why: CoxswainError) -> CoxswainError:
        """What the records do not know yet, the operator is asked to look at."""
        if why.code == leasing.UNKNOWN:
            return await self._missing(place)
        if why.code == leasing.UNCONFIRMED:
            await self._store.transact(wakes.add, "Lease", *place)
        return why

    async def _missing(self, place: Place) -> CoxswainError:
        try:
            await objects.live(self._cluster, "Lease", *place)
        except NotFoundError as error:
            return NotFoundError(error.message, code=leasing.UNKNOWN)
        text = f"the operator has not looked at Lease '{place[1]}' yet"
        return UnavailableError(text, code=leasing.UNCONFIRMED)

    async def _list(self, workspaces: frozenset[str] | None, query: LeaseQuery) -> LeaseList:
        wanted = Query(workspaces, query.state, query.holder)
        after = _read_cursor(query.cursor)
        found, following = await self._store.run(rows.page, wanted, after, limit=query.limit)
        return LeaseList(
            items=[lease_wire.view(each) for each in found],
            next=None if following is None else cursors.write(*following),
        )


def _given(spec: LeaseSpec) -> making.Body:
    return spec.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _read_cursor(text: str | None) -> Place | None:
    if text is None:
        return None
    workspace, name = cursors.read(text, cursors.word, cursors.word)
    return workspace, name
