"""The contract of agent images, as a client. One call is one try; who calls decides about the next."""

import asyncio
import io
import json
from pathlib import Path
from typing import BinaryIO, TypeVar

import aiohttp
from pydantic import BaseModel

from coxswain.api.contract import (
    ActRequest,
    BatchAnswer,
    CallAnswer,
    CallRequest,
    ClaimAnswer,
    ClaimRequest,
    EventBatch,
    HeartbeatAnswer,
    RunEvent,
    RunResult,
)
from coxswain.api.meta import Model
from coxswain.api.retry_policy import told_seconds
from coxswain.errors import TransientError
from coxswain_agent.errors import ClosedError, RefusedError

CALL_SECONDS = 15.0
# A file may be large, and goes on to a bucket before the answer.
KEEP_SECONDS = 60.0
MESSAGE_CHARACTERS = 500

# Not ours (any more): unknown identity, taken or ended.
PASSING = frozenset({408, 429})
CLOSED = (401, 409, 410)

A = TypeVar("A", bound=Model)


class Platform:
    """Calls the platform: through the door, which knows the token, or with the token of a file."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, token_file: Path | None = None
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._token_file = token_file

    async def claim(self, run: str) -> ClaimAnswer:
        """Take the run; ClosedError if another pod has it or it has ended."""
        return _read(ClaimAnswer, await self._post("claim", ClaimRequest(run=run)))

    async def append(self, events: list[RunEvent]) -> BatchAnswer:
        """Record events; those that are there already are passed over."""
        return _read(BatchAnswer, await self._post("events", EventBatch(events=events)))

    async def heartbeat(self) -> HeartbeatAnswer:
        """Say that the run is alive, and hear whether it should end."""
        return _read(HeartbeatAnswer, await self._post("heartbeat", None))

    async def act(self, act: ActRequest) -> None:
        """Record that an act with side effects begins or has ended."""
        await self._post("acts", act)

    async def ask(self, call: CallRequest) -> CallAnswer:
        """Ask people about a call, or how far they are with it."""
        return _read(CallAnswer, await self._post("approvals", call))

    async def keep(self, name: str, content: Path, content_type: str) -> None:
        """Keep a file as an artifact of the run."""
        file = await asyncio.to_thread(content.open, "rb")
        with file:
            await self._call("PUT", f"artifacts/{name}", file, content_type, KEEP_SECONDS)

    async def finish(self, result: RunResult) -> None:
        """Post the one result; ClosedError if another one stands."""
        await self._post("result", result)

    async def _post(self, route: str, body: BaseModel | None) -> bytes:
        # As a file: the library warns of large bytes, which it would write in one go.
        text = io.BytesIO(b"{}" if body is None else _wire(body))
        return await self._call("POST", route, text, "application/json")

    async def _call(
        self,
        method: str,
        route: str,
        data: BinaryIO,
        content_type: str,
        seconds: float = CALL_SECONDS,
    ) -> bytes:
        try:
            async with self._session.request(
                method,
                f"{self._url}/v1/run/{route}",
                data=data,
                headers={"Content-Type": content_type, **self._token()},
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientError(f"{route}: the platform does not answer: {error!r}") from error
        if response.status >= 400:
            wait = told_seconds(response.headers.get("Retry-After"))
            raise _error(route, response.status, answer, wait)
        return answer

    def _token(self) -> dict[str, str]:
        """Read anew for each call: the kubelet renews it."""
        if self._token_file is None:
            return {}
        return {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}


def _wire(body: BaseModel) -> bytes:
    return body.model_dump_json(by_alias=True, exclude_none=True).encode()


def _read(model: type[A], answer: bytes) -> A:
    try:
        return model.of_other_version(json.loads(answer))
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"the platform's answer is not a {model.__name__}") from error


def _error(
    route: str, status: int, answer: bytes, wait: float | None
) -> TransientError | ClosedError | RefusedError:
    text = answer.decode(errors="replace")[:MESSAGE_CHARACTERS]
    message = f"{route}: {status} {text}"
    if status in CLOSED:
        return ClosedError(message)
    if status in PASSING or status >= 500:
        return TransientError(message, retry_after_seconds=wait)
    return RefusedError(message)
