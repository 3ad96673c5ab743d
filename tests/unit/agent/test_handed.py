"""What a type's handler hands back: from an answer, and as the last word of a pod."""

import json
from typing import Any

import pytest

from coxswain.api.contract import ResultStatus, RunResult
from coxswain_agent import handed, termination
from coxswain_agent.errors import WorkError
from tests.support.platform_door import document

OBJECT = {"type": "object"}


@pytest.mark.parametrize(
    ("schema", "answer", "output"),
    [
        (None, "anything", None),
        ({"type": "string"}, '{"a": 1}', '"{\\"a\\": 1}"'),
        (OBJECT, ' {"a": 1}\n', '{"a": 1}'),
        (OBJECT, '```json\n{"a": 1}\n```', '{"a": 1}'),
    ],
)
def test_an_answer_is_the_output_as_its_schema_wants_it(
    schema: dict[str, Any] | None, answer: str, output: str | None
) -> None:
    assert handed.of_answer(document(type="ask", output_schema=schema), answer) == output


def test_an_answer_that_is_no_json_is_no_output() -> None:
    with pytest.raises(WorkError, match="output: this is not JSON") as caught:
        handed.of_answer(document(type="ask", output_schema=OBJECT), "Here you are: {}")
    assert (caught.value.reason, caught.value.transient) == ("OutputInvalid", False)


def test_the_last_word_keeps_an_output_before_the_words_beside_it() -> None:
    said = RunResult(
        status=ResultStatus.SUCCEEDED, answer="x" * 9000, output='"' + "y" * 3500 + '"'
    )
    kept = json.loads(termination.message(said))
    assert kept["output"] == said.output
    assert "answer" not in kept
    large = said.model_copy(update={"output": '"' + "y" * 9000 + '"'})
    assert "output" not in json.loads(termination.message(large))
    assert len(termination.message(large).encode()) <= termination.MOST_BYTES


@pytest.mark.parametrize("text", ["\0", "\x1b", "ok"])
def test_the_last_word_is_always_json(text: str) -> None:
    result = RunResult(status=ResultStatus.FAILED, answer=text * 3000)
    assert json.loads(termination.message(result))["status"] == "failed"
