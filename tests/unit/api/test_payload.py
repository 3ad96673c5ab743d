"""JSON that others hand over, as text."""

import pytest

from coxswain.api import payload
from coxswain.errors import UserError

REFUSED = [
    ("{", "this is not JSON"),
    ("[1, 2]", "not a JSON object"),
    ('{"a": NaN}', "this is not JSON"),
    ('{"a": 1e999}', "a number is too large"),
    ('{"a": "\\u0000"}', "NUL"),
    ('{"\\ud800": 1}', "surrogate"),
    ('{"a": ' + "[" * 40 + "]" * 40 + "}", "nested deeper than 32"),
    ('{"a": ' + "[" * 20_000 + "]" * 20_000 + "}", "nested deeper than 32"),
    ('{"a": [' + "0," * 12_000 + "0]}", "more than 10000 values"),
    ('{"a": "' + "x" * 70_000 + '"}', "are more than 65536"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_is_out_of_bounds_is_refused_with_its_field(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as caught:
        payload.read_object(text, most_bytes=payload.INPUT_BYTES, field="spec.input")
    assert caught.value.message.startswith("spec.input: ")
    assert caught.value.field == "spec.input"


def test_what_is_within_the_bounds_is_read() -> None:
    deep = '{"a": ' + "[" * 31 + "]" * 31 + "}"
    for text in ('{"a": "\\\\u0000", "b": [1.5, null, true]}', deep, "{}"):
        payload.read_object(text, most_bytes=payload.INPUT_BYTES, field="spec.input")


def test_one_value_has_one_text() -> None:
    assert payload.canonical({"b": [1, None], "a": "ä"}) == '{"a":"ä","b":[1,null]}'
