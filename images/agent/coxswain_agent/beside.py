"""Our door beside an image that knows nothing of us: claim, files, input, act; then its program may begin.

The door never sees the program. The kubelet starts it once ``signs`` says so, and ends it once they no
longer let it go on; until that is done, the program reaches nobody, because the doors are shut. When
the program has ended the kubelet tells the door to end too.

It says nothing in the program's name but one thing: what a program with a job type left as its output.
Everything else that a program did not say itself, its exit code and its termination message decide.
"""

import asyncio
import logging
import time
from contextlib import AsyncExitStack

import aiohttp

from coxswain.api.contract import ClaimAnswer, ExitCode, ResultStatus, RunDocument, RunResult
from coxswain.errors import CoxswainError
from coxswain_agent import ending, lifeline, staging, termination
from coxswain_agent.acts import Acts
from coxswain_agent.backoff import persist
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import Platform
from coxswain_agent.door import TRACEPARENT, Door
from coxswain_agent.ending import Stop, Stopper
from coxswain_agent.errors import ClosedError, ToolError, WorkError
from coxswain_agent.handed import Handed
from coxswain_agent.marks import Marks
from coxswain_agent.paths import Workspace
from coxswain_agent.settings import AgentSettings
from coxswain_agent.signs import Signs
from coxswain_agent.web_door import WebDoor

COMMAND, ENTRY_POINT = "command", "the image's own program"

log = logging.getLogger(__name__)


async def keep(settings: AgentSettings, stopper: Stopper) -> ExitCode:
    """The whole life of the door."""
    async with AsyncExitStack() as stack:
        signs = await stack.enter_async_context(Signs(settings.signs_port))
        doors = await stack.enter_async_context(AsyncExitStack())
        await _open(doors, settings)
        # Not through the door, which is shut before the last word is said.
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=_caller(settings)))
        platform = Platform(http, settings.url, settings.token_file)
        return await _Keeper(settings, stopper, signs, doors, platform).keep()


def _caller(settings: AgentSettings) -> dict[str, str]:
    """What the door adds to each request, for those of its own."""
    return {TRACEPARENT: settings.traceparent} if settings.traceparent else {}


async def _open(doors: AsyncExitStack, settings: AgentSettings) -> None:
    token = settings.token_file
    door = Door(
        settings.url,
        settings.models_url,
        token,
        settings.door_port,
        traceparent=settings.traceparent,
    )
    await doors.enter_async_context(door)
    if settings.egress_url is not None:
        web_door = WebDoor(settings.egress_url, token, settings.web_door_port)
        await doors.enter_async_context(web_door)


class _Keeper:
    def __init__(
        self,
        settings: AgentSettings,
        stopper: Stopper,
        signs: Signs,
        doors: AsyncExitStack,
        platform: Platform,
    ) -> None:
        self._settings = settings
        self._stopper = stopper
        self._signs = signs
        self._doors = doors
        self._platform = platform
        self._marks = Marks(settings.spool)
        self._handed = Handed(settings.handed)

    async def keep(self) -> ExitCode:
        try:
            claim = await lifeline.claim(self._platform, self._settings, self._stopper)
        except ClosedError as error:
            return await self._refused(error)
        except CoxswainError as error:
            log.error("the run cannot be claimed: %s", error)  # noqa: TRY400
            return ExitCode.UNREACHABLE
        clock = RunClock(claim.server_time)
        acts = Acts(self._platform, clock, self._settings.platform_wait_seconds)
        code = await self._prepare(claim.run, acts)
        if code is not None:
            return code
        self._signs.may_start = True
        stop = await self._watch(claim, clock)
        if stop is Stop.TERMINATED:
            await self._tell_output(claim.run)
        else:
            await self._end_program(stop, claim.run, acts)
        return ExitCode.SUCCEEDED

    async def _refused(self, error: ClosedError) -> ExitCode:
        """Not ours, or not any more. Where the program runs already, it is ended."""
        log.error("the run is not ours: %s", error)
        if self._stopper.asked is not None:
            return ExitCode.UNREACHABLE
        if self._marks.began_at is None:
            return ExitCode.CLOSED
        await self._shut()
        await self._stopper.terminated.wait()
        return ExitCode.SUCCEEDED

    async def _prepare(self, run: RunDocument, acts: Acts) -> ExitCode | None:
        """Lay out what the program finds, once; the exit code if it cannot be."""
        if self._marks.is_prepared:
            return None
        try:
            # Without files of the Job the workspace is the program's alone, and not mounted here.
            if self._settings.files.exists():
                staging.copy(self._settings.files, Workspace(self._settings.workspace))
            if run.type is not None:
                self._handed.give(run)
            if _is_act(run):
                # Only the result, or the program's own end, ends it.
                await acts.begin(_act(run))
        except WorkError as error:
            return await self._failed(error)
        except (ToolError, ClosedError) as error:
            log.error("the program is not started: %s", error)  # noqa: TRY400
            return ExitCode.UNREACHABLE
        self._marks.prepare()
        return None

    async def _failed(self, error: WorkError) -> ExitCode:
        log.error("the program is not started: %s", error)
        is_told = await self._post(ending.of_failure(error))
        return ExitCode.FAILED if is_told else ExitCode.UNREACHABLE

    async def _watch(self, claim: ClaimAnswer, clock: RunClock) -> Stop:
        """Until the program has ended, or must."""
        watch = [
            asyncio.create_task(
                lifeline.beat(self._platform, self._settings.heartbeat_seconds, self._stopper)
            ),
            asyncio.create_task(self._time(claim.run.timeout_seconds, clock)),
        ]
        try:
            return await self._stopper.wait()
        finally:
            for task in watch:
                task.cancel()
            await asyncio.wait(watch)

    async def _time(self, timeout_seconds: int, clock: RunClock) -> None:
        """Time counts from the program's start, after its image was pulled, over restarts of the door."""
        if self._marks.began_at is None:
            await self._signs.has_begun.wait()
        began = self._marks.begin(clock.now())
        passed = (clock.now() - began).total_seconds()
        await asyncio.sleep(max(0.0, timeout_seconds - passed))
        self._stopper.ask(Stop.TIMEOUT)

    async def _end_program(self, stop: Stop, run: RunDocument, acts: Acts) -> None:
        log.warning("the program is to end: %s", stop)
        await self._shut()
        if stop is not Stop.CLOSED:
            if _is_act(run):
                acts.interrupted.append(_act(run))
            await self._post(ending.of_stop(stop, acts, repeatable=run.repeatable))
        await self._stopper.terminated.wait()

    async def _shut(self) -> None:
        self._signs.may_go_on = False
        await self._doors.aclose()

    async def _tell_output(self, run: RunDocument) -> None:
        """What the program left; it counts only if its exit code is 0, which others will see."""
        if run.type is None:
            return
        output, problem = None, None
        try:
            output = self._handed.output()
        except WorkError as error:
            problem = error.message
        if output is None and problem is None:
            return
        told = RunResult(
            status=ResultStatus.FAILED,
            reason=Stop.TERMINATED.value,
            message=problem,
            output=output,
            transient=True,
        )
        termination.write(self._settings.termination_log, told)
        await self._post(told)

    async def _post(self, result: RunResult) -> bool:
        """Post it; False if it could not be. Where another result stands, that one is the run's."""
        until = time.monotonic() + self._settings.stop_seconds
        try:
            await persist(lambda: self._platform.finish(result), until)
        except ClosedError as error:
            log.info("no result is taken: %s", error)
        except CoxswainError as error:
            log.error("the result could not be posted: %s", error)  # noqa: TRY400
            return False
        return True


def _is_act(run: RunDocument) -> bool:
    """A program that was given no prompt knows nothing of acts; so its whole is one."""
    return run.prompt is None and not run.steps


def _act(run: RunDocument) -> str:
    return COMMAND if run.command is not None else ENTRY_POINT
