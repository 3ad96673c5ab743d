"""Agreement of people to Jobs: what is asked for, and their word."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from coxswain import names
from coxswain.api.kind import Job
from coxswain.api.records import Given, ObjectRow
from coxswain.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.rules import approvals as rules
from coxswain.rules.approvals import State
from coxswain.sidecar import call_routes, objects
from coxswain.sidecar.approval_wire import ApprovalList, ApprovalRequest, ApprovalView, WordView
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import ObjectPath
from coxswain.store import approvals, calls, waiting_jobs
from coxswain.store.approvals import Word
from coxswain.store.pool import Store
from coxswain.web.auditing import Kept
from coxswain.web.routes import Call, route

NOT_ASKED = "approval_not_asked"
CHANGED = "approval_changed"
OVER = "approval_over"
NOT_AN_APPROVER = "not_an_approver"
WAITS = (State.PENDING, State.APPROVED)


class ApprovalRoutes:
    """Routes for people who have to agree."""

    def __init__(self, store: Store, cluster: Objects) -> None:
        self._store = store
        self._cluster = cluster

    @route("GET", "/v1/approvals")
    async def list_approvals(self, call: Call, caller: UserCaller) -> ApprovalList:
        """List the Jobs of all workspaces that one may see, and the calls in them, that wait for agreement."""
        rows = await self._store.run(waiting_jobs.for_agreement, caller.workspaces)
        given = await self._store.run(approvals.of, [row.uid for row in rows])
        views = [_listed(row, given.get(row.uid, ())) for row in rows]
        waiting = [each for each in views if each is not None and each.state == State.PENDING]
        asked = await self._store.run(calls.pending, caller.workspaces)
        return ApprovalList(items=waiting, calls=[call_routes.view(each) for each in asked])

    @route("GET", "/v1/workspaces/{workspace}/jobs/{name}/approval", errors=(404,))
    async def get_approval(self, call: Call, caller: UserCaller, path: ObjectPath) -> ApprovalView:
        """Read what a Job needs agreement to, and how far it is. 404 approval_not_asked."""
        return await self._view(await self._live(path))

    @route(
        "POST", "/v1/workspaces/{workspace}/jobs/{name}/approve", errors=(404, 409), kept=Kept.WITH
    )
    async def approve_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: ApprovalRequest
    ) -> ApprovalView:
        """Agree to a Job as it was shown. The same again is harmless.

        403 not_an_approver; 409 approval_changed, approval_over or approval_decided.
        """
        return await self._say(caller, path, body, approved=True)

    @route("POST", "/v1/workspaces/{workspace}/jobs/{name}/deny", errors=(404, 409), kept=Kept.WITH)
    async def deny_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: ApprovalRequest
    ) -> ApprovalView:
        """Deny a Job as it was shown: it fails. Answers as for approve."""
        return await self._say(caller, path, body, approved=False)

    async def _live(self, path: ObjectPath) -> dict[str, Any]:
        return await objects.live(self._cluster, "Job", path.workspace, path.name)

    async def _say(
        self, caller: UserCaller, path: ObjectPath, body: ApprovalRequest, *, approved: bool
    ) -> ApprovalView:
        live = await self._live(path)
        standing = await self._view(live)
        if caller.name not in standing.approvers:
            who = ", ".join(standing.approvers)
            raise ForbiddenError(f"{caller.name} has no say here, but {who}", code=NOT_AN_APPROVER)
        if body.hash != standing.hash:
            raise ConflictError("the Job is not what was shown; read it again", code=CHANGED)
        is_repeat = any(each.approver == caller.name for each in standing.given)
        if not is_repeat:
            _check_open(live, standing)
        word = Word(
            path.workspace,
            path.name,
            standing.id,
            caller.name,
            standing.hash,
            approved,
            body.reason or "",
        )
        await self._store.transact(approvals.give, word)
        return await self._view(live)

    async def _view(self, raw: dict[str, Any]) -> ApprovalView:
        uid = raw["metadata"]["uid"]
        given = await self._store.run(approvals.of, [uid])
        return _view(Job.parse(raw), raw["spec"], given.get(uid, ()))


def _view(job: Job, spec: dict[str, Any], given: Sequence[Given]) -> ApprovalView:
    rule = job.spec.approval
    if rule is None:
        raise NotFoundError("this Job needs nobody's agreement", code=NOT_ASKED)
    metadata = job.metadata
    requester = metadata.annotations.get(names.ANNOTATION_REQUESTER)
    shown = rules.shown_hash(spec, requester)
    until = rules.deadline(rule, metadata.creation_timestamp)
    now = datetime.now(UTC)
    judged = rules.judge(rule, requester=requester, given=given, shown=shown, until=until, now=now)
    return ApprovalView(
        workspace=metadata.namespace,
        name=metadata.name,
        id=metadata.uid,
        state=judged.state,
        message=judged.message,
        hash=shown,
        required=rule.required,
        approvers=rules.electors(rule, requester),
        requester=requester,
        until=until,
        given=[WordView.of(each) for each in given if each.hash == shown],
        spec=spec,
    )


def _listed(row: ObjectRow, given: Sequence[Given]) -> ApprovalView | None:
    """None for a Job of another version that cannot be read: it spoils no list."""
    try:
        return _view(Job.recorded(row.body), row.body["spec"], given)
    except UserError:
        return None


def _check_open(live: dict[str, Any], standing: ApprovalView) -> None:
    status = live.get("status") or {}
    has_begun = bool(status.get("attempts")) or status.get("phase") not in (
        None,
        "",
        objects.QUEUED,
    )
    if has_begun or standing.state not in WAITS:
        why = f"the Job is {status['phase']}" if has_begun else standing.message
        raise ConflictError(f"nobody is asked any more: {why}", code=OVER)
