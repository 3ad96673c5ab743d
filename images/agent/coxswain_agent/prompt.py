"""A ``prompt`` Job: model call, tool call, tool result, answer, until the model is done.

Imports the model library, which takes a second or two, so only what needs it imports this module.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from openai import AsyncOpenAI
from pydantic_ai import Agent, RunContext, RunUsage, Tool, ToolFailed, UsageLimits
from pydantic_ai.exceptions import AgentRunError, ModelAPIError, UsageLimitExceeded
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.toolsets import FunctionToolset, WrapperToolset
from pydantic_ai.toolsets.abstract import ToolsetTool
from typing_extensions import override

from coxswain.api.agent import Tool as ToolName
from coxswain.api.contract import ANSWER_BYTES, ResultStatus, RunResult
from coxswain.api.event_types.run import (
    RUN_ANSWER,
    RUN_MODEL_CALL,
    RUN_TOOL_CALL,
    RUN_TOOL_RESULT,
    Answer,
    ModelCall,
    ToolCall,
    ToolResult,
)
from coxswain.errors import TransientError
from coxswain_agent import failures, handed, text
from coxswain_agent.agreement import Agreement
from coxswain_agent.backoff import persist
from coxswain_agent.errors import ToolError, WorkError
from coxswain_agent.recorder import Recorder
from coxswain_agent.session import Session
from coxswain_agent.toolbox import Toolbox

DEFAULT_MODEL = "default"
SHOWN_BYTES = 8192
ANSWER_ROOM = ANSWER_BYTES // 8
CALL_SECONDS = 660.0


async def work(
    session: Session, question: str, instructions: str | None, usage: RunUsage
) -> RunResult:
    """Ask until there is an answer. Raises WorkError where there will be none.

    ``usage`` counts on: the limit of steps is one for all that the run asks.
    """
    client = AsyncOpenAI(
        base_url=f"{session.door_url}/v1", api_key="unused", max_retries=0, timeout=CALL_SECONDS
    )
    plain = OpenAIChatModel(DEFAULT_MODEL, provider=OpenAIProvider(openai_client=client))
    model = RecordedModel(plain, session.recorder, session.settings.models_wait_seconds)
    agent = Agent(
        model,
        instructions=instructions,
        toolsets=[_recorded(session)],
    )
    limits = UsageLimits(request_limit=session.run.limits.max_steps)
    try:
        async with client:
            answered = await agent.run(question, usage=usage, usage_limits=limits)
    except UsageLimitExceeded as error:
        most = session.run.limits.max_steps
        raise WorkError("MaxSteps", f"no answer within {most} model calls") from error
    except AgentRunError as error:
        raise WorkError("AgentError", text.shorten(str(error), 2000), transient=True) from error
    answer = text.shorten(answered.output, ANSWER_ROOM, "\n(cut)")
    await session.recorder.record(RUN_ANSWER, Answer(text=text.shorten(answer, SHOWN_BYTES)))
    output = handed.of_answer(session.run, answered.output)
    return RunResult(status=ResultStatus.SUCCEEDED, answer=answer, output=output)


def _recorded(session: Session) -> "RecordedTools":
    settings = session.settings
    agreement = Agreement(
        session.platform, settings.agreement_seconds, settings.platform_wait_seconds
    )
    asked = frozenset(each.value for each in session.run.ask)
    return RecordedTools(_toolset(session), session.recorder, agreement, asked)


def _toolset(session: Session) -> FunctionToolset[None]:
    box = Toolbox(session)
    changing = (ToolName.WRITE_FILE, ToolName.RUN_COMMAND)
    tools = [
        Tool(getattr(box, name.value), takes_ctx=False, sequential=name in changing)
        for name in session.run.tools
    ]
    return FunctionToolset(tools)


@dataclass
class RecordedTools(WrapperToolset[None]):
    """Each call and its result as events; a tool's refusal goes back to the model, and people's too."""

    recorder: Recorder
    agreement: Agreement
    asked: frozenset[str]
    """Tools that people have to agree to, call by call."""

    @override
    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[None], tool: ToolsetTool[None]
    ) -> Any:
        """Record, ask where that is wanted, call, record."""
        call = {"id": ctx.tool_call_id or "", "name": name}
        arguments = json.dumps(tool_args, ensure_ascii=False)
        shown = text.shorten(arguments, SHOWN_BYTES, " ...")
        # The hash is of the whole: what is shown may be shortened.
        asked = ToolCall(**call, sha256=text.sha256(arguments), arguments=shown)
        start = time.monotonic()
        await self.recorder.record(RUN_TOOL_CALL, asked)
        try:
            if name in self.asked:
                await self.agreement.obtain(name, tool_args)
            result = str(await self.wrapped.call_tool(name, tool_args, ctx, tool))
            outcome = "ok"
        except ToolError as error:
            result, outcome = error.message, "error"
        result = text.clean(result)
        answered = ToolResult(
            **call,
            outcome=outcome,
            milliseconds=int((time.monotonic() - start) * 1000),
            text=text.shorten(result, SHOWN_BYTES, " ..."),
            sha256=text.sha256(result),
            bytes=len(result.encode()),
        )
        await self.recorder.record(RUN_TOOL_RESULT, answered)
        if outcome == "error":
            raise ToolFailed(result)
        return result


class RecordedModel(WrapperModel):
    """Each model call as an event. Waits for a gateway that is away; asks a provider only once."""

    def __init__(self, wrapped: OpenAIChatModel, recorder: Recorder, wait_seconds: float) -> None:
        super().__init__(wrapped)
        self._recorder = recorder
        self._wait_seconds = wait_seconds
        self._step = 0

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """One step of the loop."""
        self._step += 1
        start = time.monotonic()

        async def attempt() -> ModelResponse:
            try:
                return await self._streamed(messages, model_settings, model_request_parameters)
            except ModelAPIError as error:
                if failures.is_passing(error):
                    raise TransientError("the model gateway does not answer") from error
                raise

        try:
            response = await persist(attempt, start + self._wait_seconds)
        except (ModelAPIError, TransientError) as error:
            failure = failures.of_model_call(error)
            await self._record(start, failure.reason)
            raise failure from error
        await self._record(start, "ok", response)
        return response

    async def _streamed(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The whole answer, asked for in pieces: the gateway passes these on to whoever watches the Job."""
        async with self.wrapped.request_stream(
            messages, model_settings, model_request_parameters
        ) as pieces:
            async for _ in pieces:
                pass
            return pieces.get()

    async def _record(
        self, start: float, outcome: str, response: ModelResponse | None = None
    ) -> None:
        call = ModelCall(
            step=self._step,
            outcome=outcome,
            milliseconds=int((time.monotonic() - start) * 1000),
            model=response.model_name if response is not None else None,
            input_tokens=response.usage.input_tokens if response is not None else None,
            output_tokens=response.usage.output_tokens if response is not None else None,
        )
        await self._recorder.record(RUN_MODEL_CALL, call)
