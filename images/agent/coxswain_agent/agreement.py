"""Asks people about a call of a tool, and waits for their word. What is not agreed to is not called.

The platform keeps the question, so it stands whatever becomes of a connection or of a process there:
asking again is how one looks at it.
"""

import asyncio
import time

from coxswain.api import payload
from coxswain.api.contract import CALL_CHARACTERS, CallAnswer, CallRequest
from coxswain.errors import TransientError
from coxswain_agent.backoff import persist
from coxswain_agent.contract import Platform
from coxswain_agent.errors import RefusedError, ToolError

APPROVED = "Approved"
PENDING = "ApprovalPending"


class Agreement:
    """For one run. ``wait_seconds``: how long to wait for a platform that does not answer."""

    def __init__(self, platform: Platform, look_seconds: float, wait_seconds: float) -> None:
        self._platform = platform
        self._look_seconds = look_seconds
        self._wait_seconds = wait_seconds

    async def obtain(self, tool: str, arguments: dict[str, object]) -> None:
        """Return once enough people have agreed. Raises ToolError, which says why, where not."""
        call = CallRequest(tool=tool, arguments=_shown(tool, arguments))
        answer = await self._ask(call, self._wait_seconds)
        while answer.state == PENDING:
            await asyncio.sleep(min(self._look_seconds, answer.seconds_left))
            # A platform that is away delays the answer; it can still be found when it is back.
            answer = await self._ask(call, answer.seconds_left + self._wait_seconds)
        if answer.state != APPROVED:
            raise ToolError(f"{tool} was not called: {answer.message} ({answer.state})")

    async def _ask(self, call: CallRequest, seconds: float) -> CallAnswer:
        try:
            return await persist(lambda: self._platform.ask(call), time.monotonic() + seconds)
        except TransientError as error:
            raise ToolError(
                f"{call.tool} was not called: people have to agree to it, and the platform could not"
                f" be asked within {seconds:.0f} seconds"
            ) from error
        except RefusedError as error:
            raise ToolError(f"{call.tool} was not called: {error.message}") from error


def _shown(tool: str, arguments: dict[str, object]) -> str:
    """The whole call as people see it. Cutting or mending it would show another one."""
    try:
        found = payload.canonical(arguments)
        found.encode()
    except ValueError as error:
        raise ToolError(f"{tool} was not called: its arguments are not plain text") from error
    if len(found) > CALL_CHARACTERS:
        raise ToolError(
            f"{tool} was not called: people have to agree to it, and its {len(found)} characters are"
            f" more than the {CALL_CHARACTERS} that they are shown; make several smaller calls"
        )
    return found
