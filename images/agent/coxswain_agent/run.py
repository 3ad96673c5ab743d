"""One run from claim to result, in this order: files, door, claim, work, last events, result.

Before the claim nothing of the user's is executed. After the result nothing more is said.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

import aiohttp

from coxswain.api.contract import ClaimAnswer, ExitCode, ResultStatus, RunResult
from coxswain.errors import CoxswainError, TransientError
from coxswain_agent import command, ending, lifeline, session, staging, steps, termination
from coxswain_agent.acts import Acts
from coxswain_agent.asker import Asker
from coxswain_agent.backoff import persist
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import Platform
from coxswain_agent.door import Door
from coxswain_agent.ending import Stop, Stopper
from coxswain_agent.errors import ClosedError, WorkError
from coxswain_agent.paths import Workspace
from coxswain_agent.recorder import Recorder
from coxswain_agent.session import Session
from coxswain_agent.settings import AgentSettings
from coxswain_agent.web_door import WebDoor

ACT_ENDS_SECONDS = 2.0

log = logging.getLogger(__name__)


async def execute(settings: AgentSettings, stopper: Stopper) -> ExitCode:
    """The whole life of an agent pod. Its time counts from here, as the operator counts it."""
    began = time.monotonic()
    workspace = Workspace(settings.workspace)
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(
            Door(
                settings.url,
                settings.models_url,
                settings.token_file,
                settings.door_port,
                traceparent=settings.traceparent,
            )
        )
        web_url = await _open_web_door(stack, settings)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        platform = Platform(http, door.url)
        try:
            claim = await lifeline.claim(platform, settings, stopper)
            programs = session.environment(os.environ, door.url, web_url, settings, claim.leases)
            deadline = began + claim.run.timeout_seconds
            opened = _open(settings, claim, platform, workspace, programs, deadline)
            result = await _carry_out(opened, stopper)
        except ClosedError as error:
            log.error("the run is not ours: %s", error)  # noqa: TRY400
            return ExitCode.CLOSED
        except CoxswainError as error:
            log.error("the run cannot be claimed: %s", error)  # noqa: TRY400
            return ExitCode.UNREACHABLE
    return ExitCode.SUCCEEDED if result.status is ResultStatus.SUCCEEDED else ExitCode.FAILED


async def _open_web_door(stack: AsyncExitStack, settings: AgentSettings) -> str | None:
    if settings.egress_url is None:
        return None
    door = WebDoor(settings.egress_url, settings.token_file, settings.web_door_port)
    return (await stack.enter_async_context(door)).url


def _open(
    settings: AgentSettings,
    claim: ClaimAnswer,
    platform: Platform,
    workspace: Workspace,
    environment: Mapping[str, str],
    deadline: float,
) -> Session:
    clock = RunClock(claim.server_time)
    recorder = Recorder(
        platform, clock, last_seq=claim.last_seq, flush_seconds=settings.flush_seconds
    )
    return Session(
        run=claim.run,
        settings=settings,
        platform=platform,
        recorder=recorder,
        acts=Acts(platform, clock, settings.platform_wait_seconds),
        workspace=workspace,
        door_url=environment["COXSWAIN_URL"],
        environment=environment,
        deadline=deadline,
    )


async def _carry_out(opened: Session, stopper: Stopper) -> RunResult:
    """Work under watch, then the end in order. Raises ClosedError if nobody wants the result."""
    watch = [
        asyncio.create_task(_send(opened.recorder, stopper)),
        asyncio.create_task(
            lifeline.beat(opened.platform, opened.settings.heartbeat_seconds, stopper)
        ),
    ]
    try:
        result = await _work(opened, stopper, max(0.0, opened.deadline - time.monotonic()))
        termination.write(opened.settings.termination_log, result)
        await _settle(opened, result, stopper)
        return result
    finally:
        for task in watch:
            task.cancel()
        await asyncio.wait(watch)


async def _work(opened: Session, stopper: Stopper, timeout_seconds: float) -> RunResult:
    try:
        ended = await stopper.during(_begin(opened), timeout_seconds)
    except WorkError as error:
        return ending.of_failure(error)
    if isinstance(ended, Stop):
        return ending.of_stop(ended, opened.acts, repeatable=opened.run.repeatable)
    return ended


async def _begin(opened: Session) -> RunResult:
    run = opened.run
    staging.copy(opened.settings.files, opened.workspace)
    if run.command is not None:
        return await command.work(opened, run.command)
    asker = Asker()
    if run.steps:
        return await steps.Walk(opened, asker.ask).work()
    if run.prompt is None:
        raise WorkError("Invalid", "the run has neither a prompt, a command nor steps")
    return await asker.ask(opened, run.prompt)


async def _settle(opened: Session, result: RunResult, stopper: Stopper) -> None:
    stop_by = time.monotonic() + opened.settings.stop_seconds
    until = stop_by if stopper.asked is not None else max(opened.deadline, stop_by)
    # Once the result stands, open acts mean nothing; so this wait is short.
    await opened.acts.settle(min(until, time.monotonic() + ACT_ENDS_SECONDS))
    # Half of the time that is left, so that a log that takes nothing cannot keep the result back.
    if not await opened.recorder.drain((time.monotonic() + until) / 2):
        log.error("%d events could not be sent", opened.recorder.pending)
    try:
        await persist(lambda: opened.platform.finish(result), max(until, time.monotonic() + 1))
    except TransientError as error:
        log.error("the result could not be posted; it is in the termination message: %s", error)  # noqa: TRY400


async def _send(recorder: Recorder, stopper: Stopper) -> None:
    try:
        await recorder.run()
    except ClosedError as error:
        log.warning("the platform takes no more events: %s", error)
        stopper.ask(Stop.CLOSED)
