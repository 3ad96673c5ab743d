"""OpenAI's chat format, as far as the gateway itself must understand it. Messages pass through as they are."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Document = dict[str, Any]


class StreamOptions(BaseModel):
    """``stream_options`` of a request."""

    model_config = ConfigDict(frozen=True)

    include_usage: bool = False


class ChatRequest(BaseModel):
    """``POST /v1/chat/completions``. What is not named here is passed on in ``options``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    model: Annotated[str, Field(min_length=1, max_length=253)]
    messages: Annotated[list[Document], Field(min_length=1, max_length=10000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[Document] = []

    @property
    def options(self) -> Document:
        """Everything else: temperature, tool_choice, max_tokens and so on."""
        return dict(self.model_extra or {})

    @property
    def wants_usage(self) -> bool:
        """Whether the caller asked for the counts at the end of a stream."""
        return self.stream_options is not None and self.stream_options.include_usage


@dataclass(frozen=True)
class Counts:
    """Tokens of one call."""

    input_tokens: int = 0
    output_tokens: int = 0


def counts(document: Document) -> Counts | None:
    """The usage in an answer or a chunk, if it has one."""
    usage = document.get("usage")
    if not isinstance(usage, dict):
        return None
    return Counts(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))


def said(chunk: Document) -> str:
    """What the first choice of a chunk adds to the answer's text; empty where it adds none."""
    for choice in chunk.get("choices") or []:
        text = (choice.get("delta") or {}).get("content")
        if choice.get("index") == 0 and isinstance(text, str):
            # Half of a surrogate pair can go neither into the database nor to a client.
            return text.encode(errors="replace").decode()
    return ""


def has_finished(chunk: Document) -> bool:
    """Whether this chunk says why the model stopped."""
    return any(choice.get("finish_reason") for choice in chunk.get("choices") or [])


def error(code: str, message: str, status: int) -> Document:
    """OpenAI's shape of an error."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "code": code, "param": None}}
