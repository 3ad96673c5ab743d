"""Jobs: made once, followed to their end, read, held back, decided on."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from coxswain.api.meta import Model
from coxswain.client import operations, requests
from coxswain.client.asynchronous.streaming import Following
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import EventView, Resource, ResultView, ResyncView
from coxswain.client.requests import Operation, Request


class Jobs:
    """``client.jobs``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        workspace: str,
        spec: Model | Mapping[str, Any],
        *,
        name: str | None = None,
        generate_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        parent: str | None = None,
        key: str | None = None,
    ) -> Resource:
        """Make a Job: once, however often it is sent.

        Give ``name`` or the beginning of one. Without ``key`` each call makes a key of its own; with
        the same one the same Job is answered, and ConflictError idempotency_key_reused if the spec
        is another.
        """
        metadata = {"name": name, "generateName": generate_name, "labels": labels}
        wanted = requests.spec_of(spec)
        body = {
            "metadata": {word: each for word, each in metadata.items() if each is not None},
            "spec": wanted,
            "parent": parent,
        }
        return await self._transport.ask(
            Request(
                operations.CREATE_JOB,
                {"workspace": workspace},
                body=body,
                headers=requests.once(key or wanted.get("idempotencyKey")),
                is_harmless=True,
            )
        )

    async def get(self, workspace: str, name: str) -> Resource:
        """Read a Job, with its place in line while it waits for a slot."""
        return await self._transport.ask(Request(operations.GET_JOB, _path(workspace, name)))

    def list(
        self,
        workspace: str | None = None,
        *,
        phase: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        page: int | None = None,
    ) -> AsyncIterator[Resource]:
        """Jobs, newest first: of a workspace, or of all that one may see. ``page`` at a time."""
        wanted = {"phase": phase, "agent": agent, "queue": queue, "limit": page}
        within = operations.LIST_WORKSPACE_JOBS
        return self._transport.each(
            requests.listing(operations.LIST_JOBS, within, workspace, **wanted)
        )

    async def cancel(
        self, workspace: str, name: str, *, reason: str | None = None, version: str | None = None
    ) -> Resource:
        """Ask for the end of a Job; with ``version`` only if it is still as it was read."""
        return await self._change(
            operations.CANCEL_JOB, workspace, name, {"reason": reason}, version=version
        )

    async def suspend(
        self, workspace: str, name: str, *, reason: str | None = None, version: str | None = None
    ) -> Resource:
        """Let no further attempt of a Job start."""
        return await self._change(
            operations.SUSPEND_JOB, workspace, name, {"reason": reason}, version=version
        )

    async def resume(self, workspace: str, name: str, *, version: str | None = None) -> Resource:
        """Let it go on."""
        return await self._change(operations.RESUME_JOB, workspace, name, {}, version=version)

    async def review(
        self,
        workspace: str,
        name: str,
        decision: str,
        *,
        reason: str,
        attempt: int | None = None,
        version: str | None = None,
    ) -> Resource:
        """Decide what follows the attempt of a Job in Review: retry, succeed, fail or cancel.

        Without ``attempt`` it is not sent again after an answer that was lost: the last attempt may
        be another one by then.
        """
        body = {"decision": decision, "attempt": attempt, "reason": reason}
        is_named = attempt is not None
        return await self._change(
            operations.REVIEW_JOB, workspace, name, body, version=version, is_harmless=is_named
        )

    async def rerun(
        self, workspace: str, name: str, *, as_: str | None = None, key: str | None = None
    ) -> Resource:
        """Make a new Job with the spec of one that has ended: once, however often it is sent.

        ``as_`` names it.
        """
        return await self._transport.ask(
            Request(
                operations.RERUN_JOB,
                _path(workspace, name),
                body={"name": as_},
                headers=requests.once(key),
                is_harmless=True,
            )
        )

    async def result(self, workspace: str, name: str, *, attempt: int | None = None) -> ResultView:
        """The result, whole: of the newest attempt that has one, or of one given."""
        query = {"attempt": attempt}
        return await self._transport.ask(
            Request(operations.READ_RESULT, _path(workspace, name), query)
        )

    async def log(
        self, workspace: str, name: str, *, attempt: int | None = None, stream: str | None = None
    ) -> str:
        """The output: of the newest attempt that has any, or of one given; ``stream`` stdout or stderr."""
        query = {"attempt": attempt, "stream": stream}
        request = Request(operations.READ_LOG, _path(workspace, name), query)
        return (await self._transport.ask(request)).decode()

    async def artifact(
        self, workspace: str, name: str, artifact: str, *, attempt: int | None = None
    ) -> bytes:
        """A file that the Job kept."""
        path = {**_path(workspace, name), "artifact": artifact}
        query = {"attempt": attempt}
        return await self._transport.ask(Request(operations.READ_ARTIFACT, path, query))

    def follow(
        self, workspace: str, name: str, *, after: int | None = None
    ) -> AsyncGenerator[EventView | ResyncView, None]:
        """Everything that happens to a Job, from its beginning or after a position, to its end."""
        request = Request(operations.STREAM_JOB, _path(workspace, name))
        return Following(self._transport, request, after).items()

    async def wait(self, workspace: str, name: str) -> Resource:
        """Wait for the end of a Job; the Job as it is then."""
        async for _ in self.follow(workspace, name):
            pass
        return await self.get(workspace, name)

    async def _change(
        self,
        operation: Operation[Resource],
        workspace: str,
        name: str,
        body: Mapping[str, Any],
        *,
        version: str | None,
        is_harmless: bool = True,
    ) -> Resource:
        return await self._transport.ask(
            Request(
                operation,
                _path(workspace, name),
                body=body,
                headers=requests.if_version(version),
                is_harmless=is_harmless and version is None,
            )
        )


def _path(workspace: str, name: str) -> dict[str, str]:
    return {"workspace": workspace, "name": name}
