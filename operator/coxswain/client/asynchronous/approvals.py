"""Agreement of people: what waits for it, and their word, bound to the hash of what they were shown."""

from collections.abc import Sequence

from coxswain.client import operations
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import ApprovalList, ApprovalView, CallView
from coxswain.client.requests import Operation, Request


class Approvals:
    """``client.approvals``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def waiting(self) -> ApprovalList:
        """The Jobs that wait for agreement, and the calls of tools in them."""
        return await self._transport.ask(Request(operations.LIST_APPROVALS))

    async def get(self, workspace: str, job: str) -> ApprovalView:
        """What a Job needs agreement to, and how far it is."""
        return await self._transport.ask(Request(operations.GET_APPROVAL, _path(workspace, job)))

    async def approve(self, shown: ApprovalView, *, reason: str | None = None) -> ApprovalView:
        """Agree to a Job as it was shown; ConflictError approval_changed if it is another one now."""
        return await self._say(operations.APPROVE_JOB, shown, reason)

    async def deny(self, shown: ApprovalView, *, reason: str | None = None) -> ApprovalView:
        """Deny it as it was shown: it fails."""
        return await self._say(operations.DENY_JOB, shown, reason)

    async def calls(self, workspace: str, job: str) -> Sequence[CallView]:
        """The calls of tools that the agent of a Job asked people about, newest first."""
        path = _path(workspace, job)
        return (await self._transport.ask(Request(operations.LIST_CALLS, path))).items

    async def approve_call(self, shown: CallView, *, reason: str | None = None) -> CallView:
        """Agree to a call as it was shown."""
        return await self._say_of_call(operations.APPROVE_CALL, shown, reason)

    async def deny_call(self, shown: CallView, *, reason: str | None = None) -> CallView:
        """Deny it as it was shown: it is not made."""
        return await self._say_of_call(operations.DENY_CALL, shown, reason)

    async def _say(
        self, operation: Operation[ApprovalView], shown: ApprovalView, reason: str | None
    ) -> ApprovalView:
        body = {"hash": shown.hash, "reason": reason}
        path = _path(shown.workspace, shown.name)
        return await self._transport.ask(Request(operation, path, body=body, is_harmless=True))

    async def _say_of_call(
        self, operation: Operation[CallView], shown: CallView, reason: str | None
    ) -> CallView:
        body = {"reason": reason}
        path = {**_path(shown.workspace, shown.name), "hash": shown.hash}
        return await self._transport.ask(Request(operation, path, body=body, is_harmless=True))


def _path(workspace: str, job: str) -> dict[str, str]:
    return {"workspace": workspace, "name": job}
