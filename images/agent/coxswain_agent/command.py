"""A ``command`` Job, or such a step: one program, no model. Its whole is one act with side effects."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from coxswain.api.contract import ANSWER_BYTES, ResultStatus, RunResult
from coxswain_agent import handed, programs, text
from coxswain_agent.errors import ToolError, WorkError
from coxswain_agent.programs import Program
from coxswain_agent.session import Session

ANSWER_MARK = "\n(cut here; the log has more)"
# JSON may write one byte as six.
ANSWER_ROOM = ANSWER_BYTES // 8


async def work(session: Session, argv: list[str]) -> RunResult:
    """Run it; standard output is the answer, the exit code decides, a type's output comes along."""
    with handed.over(session.run, session.settings.spool) as found:
        more = found.environment if found is not None else {}
        result = await _run(session, argv, more)
        if found is None or result.status is not ResultStatus.SUCCEEDED:
            return result
        return result.model_copy(update={"output": found.output()})


async def _run(session: Session, argv: list[str], more: Mapping[str, str]) -> RunResult:
    program = Program(tuple(argv), session.workspace.root, {**session.environment, **more})
    grace = session.settings.grace_seconds
    with session.capture("stdout") as stdout, session.capture("stderr") as stderr:
        try:
            async with _act(session):
                ended = await programs.run(
                    program, stdout.feed, stderr.feed, timeout_seconds=None, grace=grace
                )
        except ToolError as error:
            raise WorkError("CommandNotStarted", error.message) from error
        kept = [
            await session.keep_overflow(stdout, "stdout"),
            await session.keep_overflow(stderr, "stderr"),
        ]
        answer = text.shorten(bytes(stdout.head).decode(errors="replace"), ANSWER_ROOM, ANSWER_MARK)
        last_words = bytes(stderr.head[-1000:]).decode(errors="replace")
    succeeded = ended.code == 0
    return RunResult(
        status=ResultStatus.SUCCEEDED if succeeded else ResultStatus.FAILED,
        answer=answer,
        reason=None if succeeded else "ExitCode",
        message=None if succeeded else text.clean(f"exit code {ended.code}: {last_words}".strip()),
        exit_code=ended.code,
        transient=not succeeded,
        artifacts=[name for name in kept if name is not None],
    )


def _act(session: Session) -> AbstractAsyncContextManager[None]:
    """The one act of the run; of a step only its own part."""
    if session.step is None:
        return session.acts.recorded_to_the_result("command")
    return session.acts.recorded(f"step {session.step}")
