"""What is hashed and signed stands in docs/audit.md, byte for byte: these vectors never change."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.audit import Ahead, Object, Outcome
from coxswain.rules import audit_chain, audit_keys
from tests.support import audit_log
from tests.support.audit_log import AT

DOCS = Path(__file__).resolve().parents[3] / "docs" / "audit.md"
ROW = (
    '{"action":"create_job","actor":{"kind":"user","name":"local"},"at":"2026-11-29T12:00:01.123456Z",'
    '"begunBy":null,"details":{"attempt":2},"hashes":{},"id":"00000000-0000-7000-8000-000000000001",'
    '"object":{"kind":"Job","name":"nightly","uid":""},"outcome":"done","reason":"für \\"alle\\"\\n",'
    '"requestId":"","workspace":"team"}'
)
FIRST_ROW = audit_log.row(1, reason='für "alle"\n', details={"attempt": 2})


def test_a_row_is_written_as_the_docs_say() -> None:
    written = audit_chain.row(FIRST_ROW)
    expected = hashlib.sha256(b"coxswain audit row 1\n" + ROW.encode()).hexdigest()
    assert audit_chain.digest_of_row(written) == expected


def test_the_vectors_of_the_docs_are_those_of_the_code() -> None:
    chain = audit_log.sealed([[FIRST_ROW]], audit_log.keys())
    seal, _ = chain[0]
    page = DOCS.read_text()
    assert ROW in page
    assert audit_chain.digest_of_row(audit_chain.row(FIRST_ROW)) in page
    body = json.dumps(audit_chain.seal(seal.body), sort_keys=True, separators=(",", ":"))
    for each in (body, seal.digest, seal.signature, audit_log.keys().public.text):
        assert each in page


@pytest.mark.parametrize(
    "other",
    [
        audit_log.changed(FIRST_ROW, reason="other"),
        audit_log.changed(FIRST_ROW, action="cancel_job"),
        audit_log.changed(FIRST_ROW, outcome=Outcome.FAILED),
        audit_log.changed(FIRST_ROW, workspace="other"),
        audit_log.changed(FIRST_ROW, request_id="r"),
        audit_log.changed(FIRST_ROW, begun_by=UUID(int=1)),
        audit_log.changed(FIRST_ROW, id=UUID(int=1)),
        audit_log.changed(FIRST_ROW, hashes={"body": "00"}),
        audit_log.changed(FIRST_ROW, details={"attempt": "2"}),
        audit_log.changed(FIRST_ROW, object=Object("Job", "nightly", "uid")),
        replace(FIRST_ROW, at=AT),
    ],
    ids=lambda each: str(each.entry.action),
)
def test_every_field_of_a_row_changes_its_digest(other: object) -> None:
    digests = {audit_chain.digest_of_row(audit_chain.row(each)) for each in (FIRST_ROW, other)}  # type: ignore[arg-type]  # a table
    assert len(digests) == 2


def test_where_a_row_was_sealed_is_no_part_of_its_digest() -> None:
    placed = replace(FIRST_ROW, seal=3, place=4)
    assert audit_chain.row(placed) == audit_chain.row(FIRST_ROW)


def test_the_order_of_rows_changes_the_root() -> None:
    one, two = "11" * 32, "22" * 32
    roots = {audit_chain.root(each) for each in ([one, two], [two, one], [one], [])}
    assert len(roots) == 4


def test_the_next_seal_goes_on_from_the_one_before() -> None:
    first, second = audit_log.sealed([[audit_log.row(1)], [audit_log.row(2)]], audit_log.keys())
    assert (first[0].body.number, second[0].body.number) == (1, 2)
    assert first[0].body.previous == audit_chain.FIRST
    assert second[0].body.previous == first[0].digest


def test_a_seal_over_nothing_has_the_root_of_nothing() -> None:
    body = audit_chain.following(Ahead(None, (), AT, "s"), "team", "test", "key")
    assert (body.rows, body.root) == (0, audit_chain.root([]))


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_a_signature_is_good_for_its_text_alone(said: bytes, other: bytes) -> None:
    keys = audit_log.keys()
    signature = keys.sign(said)
    assert keys.public.verifies(signature, said)
    assert keys.public.verifies(signature, other) == (said == other)


def test_a_former_key_is_known_and_a_strange_one_is_not() -> None:
    old, new = audit_log.keys(1), audit_log.keys(2, former=[1])
    signature = old.sign(b"said")
    assert new.verifies(old.public.id, signature, b"said")
    assert not audit_log.keys(2).verifies(old.public.id, signature, b"said")
    assert not new.verifies(new.public.id, signature, b"said")


@pytest.mark.parametrize("garbage", ["", "zz", "00", "00" * 64])
def test_what_is_no_signature_verifies_nothing(garbage: str) -> None:
    assert not audit_log.keys().public.verifies(garbage, b"said")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is empty"),
        ("abc", "line 1 is not 64 hexadecimal digits"),
        (f"{audit_log.seed(1)}\n{audit_log.seed(2)}", "line 2 does not begin with 'former '"),
        (f"{audit_log.seed(1)}\nformer 00", "line 2 is not 64 hexadecimal digits"),
    ],
)
def test_a_file_that_is_no_key_says_where_and_shows_nothing(content: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        audit_keys.read(content)
    assert audit_log.seed(1) not in str(refused.value)


def test_a_key_shows_up_in_no_repr() -> None:
    assert audit_log.seed(1) not in repr(audit_log.keys())
    assert "Ed25519PrivateKey" not in repr(audit_log.keys())
