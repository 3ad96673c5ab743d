"""What a claimed run has at hand: its document, its way to the platform, its folder, its bounds."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from coxswain.api.contract import RunDocument
from coxswain.api.environment import of_programs
from coxswain.api.event_types.run import RUN_OUTPUT, Output, Stream
from coxswain.errors import CoxswainError, TransientError
from coxswain_agent.acts import Acts
from coxswain_agent.backoff import persist
from coxswain_agent.capture import Capture
from coxswain_agent.contract import Platform
from coxswain_agent.paths import Workspace
from coxswain_agent.recorder import Recorder
from coxswain_agent.settings import AgentSettings


@dataclass(frozen=True)
class Session:
    """One run. Made after the claim, gone with its result."""

    run: RunDocument
    settings: AgentSettings
    platform: Platform
    recorder: Recorder
    acts: Acts
    workspace: Workspace
    door_url: str
    environment: Mapping[str, str]
    deadline: float
    """When the run's time is up, by the monotonic clock."""
    step: str | None = None
    """The step that is at work, in a Job that has steps."""

    def of_step(self, name: str) -> "Session":
        """The same for one step: what it keeps has a name of its own."""
        return replace(self, step=name)

    def capture(self, stream: Stream) -> Capture:
        """A new output stream, whose pieces become events."""
        return Capture(stream, self.recorder.offer, self.settings.spool)

    async def keep_overflow(self, output: Capture, name: str) -> str | None:
        """Keep a stream whole that did not fit into events; the artifact's name, if there is one."""
        name = name if self.step is None else f"{self.step}.{name}"
        output.finish()
        if not output.overflowed:
            return None
        kept: str | None = name
        why: str | None = None
        try:
            await self._keep(name, output)
        except CoxswainError as error:
            kept, why = None, f"the whole output could not be kept: {error.message}"
        marks = Output(
            stream=output.stream,
            text="",
            bytes=output.total,
            overflow=True,
            truncated=output.truncated,
            artifact=kept,
            error=why,
        )
        await self.recorder.record(RUN_OUTPUT, marks)
        return kept

    async def _keep(self, name: str, output: Capture) -> None:
        now = time.monotonic()
        # At most half of the time that is left: a store that is away must not make it a timeout.
        seconds = min(self.settings.platform_wait_seconds, max(0.0, self.deadline - now) / 2)

        async def attempt() -> None:
            await self.platform.keep(name, output.path, "application/octet-stream")

        try:
            async with asyncio.timeout(seconds):
                await persist(attempt, now + seconds)
        except TimeoutError as error:
            raise TransientError(f"no answer within {seconds:.0f} seconds") from error


def environment(
    outer: Mapping[str, str],
    door_url: str,
    web_url: str | None,
    settings: AgentSettings,
    leases: Mapping[str, int],
) -> dict[str, str]:
    """What programs see: the doors in place of everything of ours, and no way to the token.

    ``leases``: the fencing tokens of the run's leases, for what a program writes to outside.
    """
    kept = {name: value for name, value in outer.items() if not name.startswith("COXSWAIN_")}
    ours = of_programs(
        settings.run, str(settings.workspace), door_url, web_url, settings.traceparent
    )
    return kept | ours | ({"COXSWAIN_LEASES": json.dumps(leases)} if leases else {})
