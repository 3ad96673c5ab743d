"""Agreement of people to calls of tools, in the middle of a run: what is asked for, and their word."""

from typing import Annotated

from pydantic import StringConstraints

from coxswain.identity.callers import UserCaller
from coxswain.rules import approvals as rules
from coxswain.sidecar import objects
from coxswain.sidecar.approval_wire import CallList, CallView, CallWord, WordView
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import ObjectPath
from coxswain.store import calls
from coxswain.store.approvals import Word
from coxswain.store.calls import AskedCall
from coxswain.store.pool import Store
from coxswain.web.auditing import Kept
from coxswain.web.routes import Call, route


class CallPath(ObjectPath):
    """Names a call that an agent asked about."""

    hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    """Its hash, as it was shown."""


class CallRoutes:
    """Routes for people who have to agree."""

    def __init__(self, store: Store, cluster: Objects) -> None:
        self._store = store
        self._cluster = cluster

    @route("GET", "/v1/workspaces/{workspace}/jobs/{name}/calls", errors=(404,))
    async def list_calls(self, call: Call, caller: UserCaller, path: ObjectPath) -> CallList:
        """List the calls that the agent of a Job asked people about, newest first."""
        found = await self._store.run(calls.of_job, await self._uid(path))
        return CallList(items=[view(each) for each in found])

    @route(
        "POST",
        "/v1/workspaces/{workspace}/jobs/{name}/calls/{hash}/approve",
        errors=(404, 409),
        kept=Kept.WITH,
    )
    async def approve_call(
        self, call: Call, caller: UserCaller, path: CallPath, body: CallWord
    ) -> CallView:
        """Agree to a call as it was shown. The same again is harmless.

        404 call_unknown; 403 not_an_approver; 409 approval_over or approval_decided.
        """
        return await self._say(caller, path, body, approved=True)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/jobs/{name}/calls/{hash}/deny",
        errors=(404, 409),
        kept=Kept.WITH,
    )
    async def deny_call(
        self, call: Call, caller: UserCaller, path: CallPath, body: CallWord
    ) -> CallView:
        """Deny a call as it was shown: it is not made. Answers as for approve."""
        return await self._say(caller, path, body, approved=False)

    async def _say(
        self, caller: UserCaller, path: CallPath, body: CallWord, *, approved: bool
    ) -> CallView:
        uid = await self._uid(path)
        reason = body.reason or ""
        word = Word(path.workspace, path.name, uid, caller.name, path.hash, approved, reason)
        return view(await self._store.transact(calls.decide, word))

    async def _uid(self, path: ObjectPath) -> str:
        return await objects.uid(self._store, self._cluster, "Job", path.workspace, path.name)


def view(found: AskedCall) -> CallView:
    """A call as people read it."""
    return CallView(
        workspace=found.workspace,
        name=found.job_name,
        id=found.job_uid,
        attempt=found.attempt,
        agent=found.agent_name,
        tool=found.tool,
        arguments=found.arguments,
        hash=found.hash,
        state=found.judged.state,
        message=found.judged.message,
        required=found.rule.required,
        approvers=rules.electors(found.rule, found.requester),
        requester=found.requester,
        asked_at=found.asked_at,
        until=found.until,
        given=[WordView.of(each) for each in found.given],
    )
