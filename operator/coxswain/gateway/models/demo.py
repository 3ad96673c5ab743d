"""The demo provider: no model and no key. It looks for a file, reads it with a real tool call, and
quotes what fits the question. Every answer says "demo", so that nobody takes it for a model.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coxswain.gateway.models import extraction
from coxswain.gateway.models.wire import ChatRequest, Counts, Document

LIST_FILES = "list_files"
READ_FILE = "read_file"
MOST_FILES = 3
GOOD_ENOUGH = 1.0
CHARACTERS_PER_TOKEN = 4
PIECE_WORDS = 8
OPENING = "demo: this is no language model; it quotes what it found."

_LISTED = re.compile(r"^(?P<path>.+?) \((?P<size>\d+) bytes\)$")
_TEXTUAL = (".txt", ".md", ".rst", ".csv", ".json", ".yaml", ".yml", ".log", ".html")


@dataclass(frozen=True)
class ToolUse:
    """A tool that was called, with what came back."""

    name: str
    arguments: Document
    result: str


@dataclass(frozen=True)
class Conversation:
    """What the demo understands of a request."""

    question: str
    given: str
    used: tuple[ToolUse, ...]
    offered: frozenset[str]


def answer(request: ChatRequest, identifier: str, created: int) -> Document:
    """A whole answer in OpenAI's format."""
    message = _message(_understand(request))
    finish = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": identifier,
        "object": "chat.completion",
        "created": created,
        "model": "demo",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": _usage(_counts(request, message)),
    }


def chunks(request: ChatRequest, identifier: str, created: int) -> Iterator[Document]:
    """The same answer in pieces, the counts in the last."""
    whole = answer(request, identifier, created)
    choice = whole["choices"][0]
    head = {key: whole[key] for key in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    for delta in _deltas(choice["message"]):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {
        **head,
        "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}],
    }
    yield {**head, "choices": [], "usage": whole["usage"]}


def _message(talk: Conversation) -> Document:
    read = [use for use in talk.used if use.name == READ_FILE]
    listed = next((use for use in talk.used if use.name == LIST_FILES), None)
    enough = len(read) >= MOST_FILES or any(
        extraction.overlap(talk.question, use.result) >= GOOD_ENOUGH for use in read
    )
    if listed is None and LIST_FILES in talk.offered and READ_FILE in talk.offered:
        return _call(LIST_FILES, {"path": "."}, len(talk.used))
    if listed is not None and READ_FILE in talk.offered and not enough:
        known = {str(use.arguments.get("path")) for use in read}
        left = [path for path in _candidates(talk.question, listed.result) if path not in known]
        if left:
            return _call(READ_FILE, {"path": left[0]}, len(talk.used))
    return {"role": "assistant", "content": _quote(talk, read)}


def _quote(talk: Conversation, read: Sequence[ToolUse]) -> str:
    sources = [(f"In {use.arguments.get('path')}", use.result) for use in read]
    sources = sources or [("In the text it was given", talk.given)]
    where, text = max(sources, key=lambda source: extraction.overlap(talk.question, source[1]))
    found = extraction.best(talk.question, text)
    if not found:
        return f"{OPENING} It found nothing that fits the question."
    return f'{OPENING} {where}: "{" ".join(found)}"'


def _candidates(question: str, listing: str) -> list[str]:
    """Files to read, best first: a name that fits the question, then text, then size."""
    wanted = set(extraction.words(question))
    matches = [match for line in listing.splitlines() if (match := _LISTED.match(line))]

    def rank(match: re.Match[str]) -> tuple[int, bool, int, str]:
        path = match["path"]
        shared = len(wanted & set(extraction.words(path)))
        return (-shared, not path.endswith(_TEXTUAL), -int(match["size"]), path)

    return [match["path"] for match in sorted(matches, key=rank)]


def _understand(request: ChatRequest) -> Conversation:
    calls: dict[str, tuple[str, Document]] = {}
    used: list[ToolUse] = []
    question, others = "", []
    for message in request.messages:
        text = _text(message.get("content"))
        match message.get("role"):
            case "assistant":
                calls |= {call["id"]: _called(call) for call in message.get("tool_calls") or []}
            case "tool":
                name, arguments = calls.get(str(message.get("tool_call_id")), ("", {}))
                used.append(ToolUse(name, arguments, text))
            case "user":
                question = text
                others.append(text)
            case _:
                others.append(text)
    offered = frozenset(str(tool.get("function", {}).get("name")) for tool in request.tools)
    return Conversation(question, _without(question, others), tuple(used), offered)


def _without(question: str, texts: Sequence[str]) -> str:
    """What was given to go by: the question's own last line is not an answer to it."""
    lines = question.strip().splitlines()
    given = [text for text in texts if text != question] + lines[:-1]
    return "\n\n".join(given)


def _called(call: Document) -> tuple[str, Document]:
    function = call.get("function", {})
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except json.JSONDecodeError:
        arguments = {}
    return str(function.get("name")), arguments if isinstance(arguments, dict) else {}


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _call(name: str, arguments: Document, number: int) -> Document:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": f"call_demo_{number + 1}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _deltas(message: Document) -> Iterator[Document]:
    yield {"role": "assistant"}
    for index, call in enumerate(message.get("tool_calls", [])):
        yield {"tool_calls": [{"index": index, **call}]}
    pieces = re.findall(r"\S+\s*", message.get("content") or "")
    for start in range(0, len(pieces), PIECE_WORDS):
        yield {"content": "".join(pieces[start : start + PIECE_WORDS])}


def _counts(request: ChatRequest, message: Document) -> Counts:
    size = sum(len(_text(each.get("content"))) for each in request.messages)
    said = len(json.dumps(message))
    return Counts(size // CHARACTERS_PER_TOKEN + 1, said // CHARACTERS_PER_TOKEN + 1)


def _usage(counts: Counts) -> Document:
    return {
        "prompt_tokens": counts.input_tokens,
        "completion_tokens": counts.output_tokens,
        "total_tokens": counts.input_tokens + counts.output_tokens,
    }
