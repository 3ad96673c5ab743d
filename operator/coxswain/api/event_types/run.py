"""What the program in an agent pod tells of its own run. docs/contract.md is the page for its writers."""

from typing import Literal

from pydantic import Field

from coxswain.api.event_type import EventType, Writer
from coxswain.api.meta import Model

Stream = Literal["stdout", "stderr"]


class Output(Model):
    """A piece of output, or the word on what did not fit into events."""

    stream: Stream
    """Where it was written."""
    text: str
    """The piece."""
    source: str | None = None
    """pod: it was taken from the pod's log."""
    bytes: int | None = Field(default=None, ge=0)
    """Length of the whole stream."""
    overflow: bool | None = None
    """True: the stream was longer than its events."""
    truncated: bool | None = None
    """True: what was kept beside the events is cut too."""
    artifact: str | None = None
    """The file with the whole of it."""
    error: str | None = None
    """Why there is no such file."""


class ModelCall(Model):
    """One call of a model, as the program sees it; what is paid for stands in the usage records."""

    step: int = Field(ge=0)
    """Counts the calls of the run."""
    outcome: str
    """ok, or why it failed, in one word."""
    milliseconds: int | None = Field(default=None, ge=0)
    """How long it took."""
    model: str | None = None
    """The model that answered."""
    input_tokens: int | None = Field(default=None, ge=0, alias="input_tokens")
    """Tokens that it was given."""
    output_tokens: int | None = Field(default=None, ge=0, alias="output_tokens")
    """Tokens that it gave."""


class ToolCall(Model):
    """A model calls a tool."""

    id: str
    """The call, within its run."""
    name: str
    """The tool's name."""
    arguments: str | None = None
    """What it is given, or the beginning of it."""
    sha256: str | None = None
    """Hash of the whole of it."""


class ToolResult(Model):
    """What a tool answered."""

    id: str
    """The call, within its run."""
    name: str
    """The tool's name."""
    outcome: str
    """ok or error."""
    milliseconds: int | None = Field(default=None, ge=0)
    """How long it took, with waiting for people."""
    text: str | None = None
    """The answer, or the beginning of it."""
    sha256: str | None = None
    """Hash of the whole of it."""
    bytes: int | None = Field(default=None, ge=0)
    """Length of the whole of it."""


class Answer(Model):
    """What the agent answers."""

    text: str
    """The answer, or the beginning of it."""


class StepStarted(Model):
    """A step of a Job begins."""

    step: str
    """The step's name."""
    number: int | None = Field(default=None, ge=1)
    """Its place."""
    of: int | None = Field(default=None, ge=1)
    """How many there are."""


class StepEnded(Model):
    """A step of a Job has ended."""

    step: str
    """The step's name."""
    milliseconds: int | None = Field(default=None, ge=0)
    """How long it took."""
    exit_code: int | None = None
    """The program's exit code."""
    reason: str | None = None
    """Why it failed, in one word."""
    message: str | None = None
    """Why, in a sentence."""


class StepSkipped(Model):
    """A step of a Job was left out."""

    step: str
    """The step's name."""
    because: str | None = None
    """The step that failed before."""


RUN = Writer.RUN
RUN_OUTPUT = EventType("run.output", "A program wrote something.", Output, writer=RUN)
RUN_MODEL_CALL = EventType("run.model_call", "A model was called.", ModelCall, writer=RUN)
RUN_TOOL_CALL = EventType("run.tool_call", "A model calls a tool.", ToolCall, writer=RUN)
RUN_TOOL_RESULT = EventType("run.tool_result", "A tool has answered.", ToolResult, writer=RUN)
RUN_ANSWER = EventType("run.answer", "The agent has answered.", Answer, writer=RUN)
STEP_STARTED = EventType("run.step.started", "A step begins.", StepStarted, writer=RUN)
STEP_SUCCEEDED = EventType("run.step.succeeded", "A step has succeeded.", StepEnded, writer=RUN)
STEP_FAILED = EventType("run.step.failed", "A step has failed.", StepEnded, writer=RUN)
STEP_SKIPPED = EventType("run.step.skipped", "A step was left out.", StepSkipped, writer=RUN)
STEPS = (STEP_STARTED, STEP_SUCCEEDED, STEP_FAILED, STEP_SKIPPED)
TYPES = (RUN_OUTPUT, RUN_MODEL_CALL, RUN_TOOL_CALL, RUN_TOOL_RESULT, RUN_ANSWER, *STEPS)
