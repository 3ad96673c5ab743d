"""The demo provider: a real tool call, then a quotation, and always the word demo."""

import json
from typing import Any

from coxswain.gateway.models import demo, extraction
from coxswain.gateway.models.wire import ChatRequest, Document

TEXT = """The lighthouse was built in 1874. It stands on a low rock.

Its keeper, Ada Brandt, counted the ships by hand. She wrote 12,406 names into her book.
The lamp burned colza oil until 1911, when it was changed for paraffin.
"""
QUESTION = "Which oil did the lamp burn before paraffin?"
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("list_files", "read_file")]


def ask(*messages: Document, tools: list[Document] | None = None) -> Document:
    asked = ChatRequest(
        model="default",
        messages=[{"role": "user", "content": QUESTION}, *messages],
        tools=TOOLS if tools is None else tools,
    )
    message: Document = demo.answer(asked, "x", 1)["choices"][0]["message"]
    return message


def used(call: Document, result: str) -> list[Document]:
    made = call["tool_calls"][0]
    return [
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": made["id"], "content": result},
    ]


def function(message: Document) -> tuple[str, Any]:
    made = message["tool_calls"][0]["function"]
    return made["name"], json.loads(made["arguments"])


def test_it_lists_files_then_reads_one_then_quotes_it() -> None:
    first = ask()
    assert function(first) == ("list_files", {"path": "."})
    listed = used(first, "data.bin (9 bytes)\nlighthouse.txt (300 bytes)")
    second = ask(*listed)
    assert function(second) == ("read_file", {"path": "lighthouse.txt"})
    third = ask(*listed, *used(second, TEXT))
    assert "tool_calls" not in third
    assert "demo" in third["content"]
    assert "The lamp burned colza oil until 1911" in third["content"]
    assert "lighthouse.txt" in third["content"]


def test_a_name_that_fits_the_question_is_read_first() -> None:
    first = ask()
    listed = used(first, "big.txt (9000 bytes)\nlamp-oil.txt (10 bytes)")
    assert function(ask(*listed)) == ("read_file", {"path": "lamp-oil.txt"})


def test_it_reads_on_when_a_file_does_not_fit() -> None:
    first = ask()
    listed = used(first, "big.txt (9000 bytes)\nsmall.txt (10 bytes)")
    second = ask(*listed)
    read = used(second, "Nothing about that.")
    assert function(ask(*listed, *read)) == ("read_file", {"path": "small.txt"})


def test_without_tools_it_quotes_the_text_it_was_given() -> None:
    asked = ChatRequest(
        model="default", messages=[{"role": "user", "content": f"{TEXT}\n{QUESTION}"}]
    )
    said = demo.answer(asked, "x", 1)["choices"][0]["message"]["content"]
    assert said.startswith("demo")
    assert "colza oil" in said


def test_it_says_so_when_nothing_fits() -> None:
    said = ask(tools=[])["content"]
    assert "demo" in said
    assert "found nothing" in said


def test_an_empty_workspace_ends_with_an_answer() -> None:
    first = ask()
    assert "found nothing" in ask(*used(first, "(empty)"))["content"]


def test_the_pieces_of_a_stream_are_the_answer() -> None:
    asked = ChatRequest(
        model="default", messages=[{"role": "user", "content": f"{TEXT}\n{QUESTION}"}]
    )
    whole = demo.answer(asked, "x", 1)
    pieces = list(demo.chunks(asked, "x", 1))
    said = "".join(
        choice["delta"].get("content") or "" for piece in pieces for choice in piece["choices"]
    )
    assert said == whole["choices"][0]["message"]["content"]
    assert pieces[-1]["usage"] == whole["usage"]
    assert [c["finish_reason"] for p in pieces for c in p["choices"]][-1] == "stop"


def test_rare_words_count_more_than_common_ones() -> None:
    text = "The ship sailed. The ship sank near Tristan. The ship was old."
    assert extraction.best("Where did the ship go near Tristan?", text, most=1) == [
        "The ship sank near Tristan."
    ]
