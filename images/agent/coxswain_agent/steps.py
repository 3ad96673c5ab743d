"""A Job of several steps: one after the other, in this one pod.

What a step leaves in the workspace stays for those after it. How it ended and what it answered also
stands in files there, below ``.steps/NAME``, so that a program and a model can read it alike.

From the first program on the whole is one act: a pod that is lost between two steps has done some of
it, and nobody repeats that blindly.
"""

import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.event_types.run import (
    STEP_FAILED,
    STEP_SKIPPED,
    STEP_STARTED,
    STEP_SUCCEEDED,
    StepEnded,
    StepSkipped,
    StepStarted,
)
from coxswain.api.step import Step
from coxswain_agent import command, ending, files, text
from coxswain_agent.errors import ToolError, WorkError
from coxswain_agent.paths import Workspace
from coxswain_agent.session import Session

FOLDER = ".steps"
ACT = "the steps so far"
NOT_KEPT = "StepNotKept"
MESSAGE_BYTES = 2000

Ask = Callable[[Session, str], Awaitable[RunResult]]


class Outcome(StrEnum):
    """How a step ended; its event is called so, and its file ``outcome`` holds it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass
class Walk:
    """The way through the steps; ``ask`` puts a prompt to the model."""

    session: Session
    ask: Ask
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    results: dict[str, RunResult] = field(default_factory=dict)
    is_act: bool = False
    """Whether a program has run, or was about to."""

    async def work(self) -> RunResult:
        """Take every step; the result of them all."""
        _clear(self.session.workspace)
        async with AsyncExitStack() as whole:
            for number, step in enumerate(self.session.run.steps, 1):
                await self._take(step, number, whole)
        return self._result()

    async def _take(self, step: Step, number: int, whole: AsyncExitStack) -> None:
        because = self._stands_on_a_failure(step)
        if because is not None:
            self._note(step, Outcome.SKIPPED, "")
            skipped = StepSkipped(step=step.name, because=because)
            await self.session.recorder.record(STEP_SKIPPED, skipped)
            return
        about = StepStarted(step=step.name, number=number, of=len(self.session.run.steps))
        await self.session.recorder.record(STEP_STARTED, about)
        began = time.monotonic()
        result = self.results[step.name] = await self._perform(step, whole)
        outcome = Outcome(result.status.value)
        has_failed = outcome is Outcome.FAILED
        ended = StepEnded(
            step=step.name,
            milliseconds=int((time.monotonic() - began) * 1000),
            exit_code=result.exit_code,
            reason=result.reason if has_failed else None,
            message=text.shorten(result.message or "", MESSAGE_BYTES) if has_failed else None,
        )
        self._note(step, outcome, result.answer or "")
        what = STEP_FAILED if has_failed else STEP_SUCCEEDED
        await self.session.recorder.record(what, ended)

    def _stands_on_a_failure(self, step: Step) -> str | None:
        """The first step that did not succeed and that this one cannot do without."""
        for edge in step.depends_on:
            is_sound = self.outcomes[edge.name] is Outcome.SUCCEEDED
            if not is_sound and edge.on_failure == "Skip":
                return edge.name
        return None

    async def _perform(self, step: Step, whole: AsyncExitStack) -> RunResult:
        session = self.session.of_step(step.name)
        try:
            if step.command is None:
                return await self.ask(session, step.prompt or "")
            if not self.is_act:
                await whole.enter_async_context(session.acts.recorded_to_the_result(ACT))
                self.is_act = True
            return await command.work(session, step.command)
        except ToolError as error:
            return ending.of_failure(WorkError("CommandNotStarted", error.message))
        except WorkError as error:
            return ending.of_failure(error)

    def _note(self, step: Step, outcome: Outcome, answer: str) -> None:
        self.outcomes[step.name] = outcome
        for name, content in (("answer", answer), ("outcome", f"{outcome}\n")):
            _leave(self.session.workspace, f"{FOLDER}/{step.name}/{name}", content)

    def _result(self) -> RunResult:
        """A success if every step succeeded; else the failure of the first that failed."""
        artifacts = [name for each in self.results.values() for name in each.artifacts]
        last = list(self.results.values())[-1]
        failed = {
            name: each for name, each in self.results.items() if each.status is ResultStatus.FAILED
        }
        if not failed:
            return last.model_copy(update={"artifacts": artifacts})
        name, first = next(iter(failed.items()))
        skipped = [name for name, how in self.outcomes.items() if how is Outcome.SKIPPED]
        left = f"; skipped: {', '.join(skipped)}" if skipped else ""
        why = text.shorten(first.message or "", MESSAGE_BYTES)
        change = {
            "answer": last.answer,
            "message": f"step {name}: {why}{left}",
            "transient": all(each.transient for each in failed.values()),
            "artifacts": artifacts,
        }
        return first.model_copy(update=change)


def _clear(workspace: Workspace) -> None:
    """A home may still hold what the steps of an earlier run left."""
    folder = Path(workspace.root, FOLDER)
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise WorkError(NOT_KEPT, f"{FOLDER} cannot be cleared: {error}") from error


def _leave(workspace: Workspace, path: str, content: str) -> None:
    try:
        files.put(workspace, path, content.encode())
    except ToolError as error:
        why = f"what a step came to cannot be put into the workspace: {error.message}"
        raise WorkError(NOT_KEPT, why) from error
