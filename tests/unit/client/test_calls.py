"""When a call is sent again, and what it ends with. Nothing but the network is another one here."""

import json
from operator import attrgetter
from typing import Any

import httpx
import pytest

from coxswain.client import ONCE, AsyncClient, RetryPolicy, errors
from coxswain.client.errors import ClientError
from coxswain.client.new_events import NewEvent
from tests.support.calls import JOB, URL, Script, good, refusal, script

LOST = httpx.ReadError("gone")
NOBODY = httpx.ConnectError("nobody")
KEY = {
    "id": "a" * 16,
    "name": "ci",
    "role": "Read",
    "state": "Live",
    "madeBy": "local",
    "madeAt": "2026-11-29T10:00:00Z",
    "secret": "s",
}
SPEC = {"agentRef": {"name": "reader"}, "title": "t", "prompt": "p"}


@pytest.mark.parametrize(
    "failure", [LOST, NOBODY, *map(refusal, (429, 500, 502, 503, 504))], ids=str
)
def test_what_only_reads_is_sent_again(failure: httpx.Response | Exception) -> None:
    said = script(failure, good(JOB))
    assert said.client().jobs.get("team", "first").version == "7"
    assert len(said.sent) == 2


@pytest.mark.parametrize("failure", [LOST, *map(refusal, (500, 502, 503, 504))], ids=str)
def test_what_may_have_been_done_is_not_sent_again_without_a_key(
    failure: httpx.Response | Exception,
) -> None:
    said = script(failure, good(JOB))
    with pytest.raises(errors.FailedError):
        said.client().jobs.review("team", "first", "retry", reason="seen")
    assert len(said.sent) == 1


@pytest.mark.parametrize("failure", [NOBODY, refusal(429)], ids=str)
def test_what_was_surely_not_done_is_sent_again(failure: httpx.Response | Exception) -> None:
    said = script(failure, good(JOB))
    assert said.client().jobs.review("team", "first", "retry", reason="seen").version == "7"
    assert len(said.sent) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 415, 422])
def test_a_refusal_is_final(status: int) -> None:
    said = script(refusal(status), good(JOB))
    with pytest.raises(errors.RefusedError):
        said.client().jobs.get("team", "first")
    assert (len(said.sent), said.waits) == (1, [])


def test_a_job_has_one_key_over_all_its_tries_and_another_one_per_call() -> None:
    said = script(LOST, refusal(503), good(JOB))
    client = said.client()
    client.jobs.create("team", SPEC, name="first")
    client.jobs.create("team", SPEC, name="first")
    keys = [each.headers["Idempotency-Key"] for each in said.sent]
    assert len(keys) == 4
    assert len({*keys[:3]}) == 1
    assert keys[3] != keys[0]


def test_the_key_of_the_caller_and_that_of_the_spec_are_kept() -> None:
    said = script(good(JOB))
    said.client().jobs.create("team", SPEC, name="first", key="order-17")
    said.client().jobs.create("team", {**SPEC, "idempotencyKey": "order-18"}, name="first")
    assert [each.headers["Idempotency-Key"] for each in said.sent] == ["order-17", "order-18"]


def test_a_trigger_keeps_its_id_over_its_tries() -> None:
    said = script(LOST, good({"id": "1", "accepted": True}))
    said.client().schedules.trigger("team", "morning")
    ids = [json.loads(each.content)["id"] for each in said.sent]
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_events_keep_their_ids_over_their_tries_and_go_500_at_a_time() -> None:
    answer = good({"accepted": 1, "duplicates": 0, "position": 9})
    said = script(LOST, answer)
    given = [NewEvent("user.note") for _ in range(501)]
    assert said.client().events.append(given).accepted == 2
    sent = [[each["id"] for each in json.loads(one.content)["events"]] for one in said.sent]
    assert [len(each) for each in sent] == [500, 500, 1]
    assert sent[0] == sent[1]
    assert sent[1] + sent[2] == [str(each.id) for each in given]


@pytest.mark.parametrize(
    ("method", "given"),
    [
        (
            "jobs.review",
            {"workspace": "team", "name": "first", "decision": "retry", "reason": "seen"},
        ),
        ("schedules.resume", {"workspace": "team", "name": "morning"}),
        ("leases.acquire", {"workspace": "team", "name": "deploy", "steal": True, "reason": "x"}),
        ("deliveries.redrive", {"workspace": "team", "delivery": "1", "reason": "x"}),
        (
            "job_types.change",
            {"workspace": "team", "name": "count", "changes": {}, "version": "3"},
        ),
    ],
)
def test_what_a_repeat_could_do_twice_is_sent_once(method: str, given: dict[str, Any]) -> None:
    said = script(LOST)
    with pytest.raises(errors.LostAnswerError):
        attrgetter(method)(said.client())(**given)
    assert len(said.sent) == 1


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("jobs.create", {"workspace": "team", "spec": {}, "name": "first"}),
        ("jobs.rerun", {"workspace": "team", "name": "first"}),
        ("schedules.create", {"workspace": "team", "spec": {}, "name": "morning"}),
        ("leases.create", {"workspace": "team", "name": "deploy", "spec": {}}),
        ("job_types.create", {"workspace": "team", "name": "count", "spec": {}}),
        ("keys.create", {"name": "ci", "role": "Read"}),
    ],
)
def test_what_makes_something_is_sent_again_under_its_one_key(
    method: str, given: dict[str, Any]
) -> None:
    said = script(LOST, refusal(503), refusal(404))
    with pytest.raises(errors.NotFoundError):
        attrgetter(method)(said.client())(**given)
    keys = [each.headers["Idempotency-Key"] for each in said.sent]
    assert (len(keys), len(set(keys))) == (3, 1)


def test_a_review_of_a_named_attempt_is_sent_again() -> None:
    said = script(LOST, good(JOB))
    said.client().jobs.review("team", "first", "retry", reason="seen", attempt=2)
    assert len(said.sent) == 2


def test_a_change_of_what_was_seen_is_not_sent_again() -> None:
    said = script(LOST, good(JOB))
    with pytest.raises(errors.LostAnswerError):
        said.client().jobs.cancel("team", "first", version="7")
    assert said.sent[0].headers["If-Match"] == '"7"'


def test_waits_grow_and_end_with_the_tries() -> None:
    said = script(refusal(503))
    policy = RetryPolicy(tries=5, first_seconds=1, most_seconds=4, total_seconds=1000)
    with pytest.raises(errors.UnavailableError):
        said.client(policy).jobs.get("team", "first")
    assert (said.waits, len(said.sent)) == ([1, 2, 4, 4], 5)


def test_waits_end_with_the_time() -> None:
    said = script(refusal(503))
    policy = RetryPolicy(tries=100, first_seconds=1, most_seconds=4, total_seconds=8)
    with pytest.raises(errors.UnavailableError):
        said.client(policy).jobs.get("team", "first")
    assert said.waits == [1, 2, 4]


def test_what_the_platform_asks_for_is_waited() -> None:
    said = script(refusal(429, after=7), good(JOB))
    said.draw = 0.0
    said.client().jobs.get("team", "first")
    assert said.waits == [7.0]


def test_a_longer_wait_than_all_the_time_ends_it_at_once() -> None:
    said = script(refusal(429, after=3600))
    with pytest.raises(errors.RateLimitedError) as caught:
        said.client().jobs.get("team", "first")
    assert (said.waits, caught.value.retry_after) == ([], 3600)


def test_a_policy_of_one_try_is_that() -> None:
    said = script(NOBODY)
    with pytest.raises(errors.UnreachableError):
        said.client(ONCE).jobs.get("team", "first")
    assert len(said.sent) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "malformed", errors.MalformedError),
        (401, "unauthenticated", errors.UnauthenticatedError),
        (403, "forbidden", errors.ForbiddenError),
        (404, "not_found", errors.NotFoundError),
        (409, "conflict", errors.ConflictError),
        (409, "lease_lost", errors.LeaseLostError),
        (409, "lease_not_held", errors.LeaseLostError),
        (412, "precondition_failed", errors.ChangedError),
        (413, "too_large", errors.TooLargeError),
        (415, "unsupported_media_type", errors.UnsupportedTypeError),
        (422, "invalid", errors.InvalidError),
        (429, "rate_limited", errors.RateLimitedError),
        (500, "internal", errors.ServerError),
        (501, "http", errors.ServerError),
        (503, "unavailable", errors.UnavailableError),
        (302, "found", errors.UnreadableError),
        (418, "teapot", errors.RefusedError),
    ],
)
def test_every_meaning_has_its_class(status: int, code: str, kind: type[ClientError]) -> None:
    said = script(refusal(status, code, field="spec.title"))
    with pytest.raises(ClientError) as caught:
        said.client(ONCE).jobs.get("team", "first")
    found = caught.value
    assert type(found) is kind
    assert (found.code, found.message, found.field) == (code, "why", "spec.title")
    assert (found.status, found.request_id) == (status, "r-1")


def test_a_proxys_page_is_told_by_its_status_and_its_beginning() -> None:
    said = script(httpx.Response(502, content=b"<html>bad gateway</html>"))
    with pytest.raises(errors.UnavailableError, match="502 <html>bad gateway"):
        said.client(ONCE).jobs.get("team", "first")


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b'{"id": 1}', b"[" * 100_000])
def test_an_answer_that_is_none_is_said_to_be_none(content: bytes) -> None:
    said = script(httpx.Response(200, content=content))
    with pytest.raises(errors.UnreadableError, match="GET /v1/workspaces/"):
        said.client().jobs.get("team", "first")
    assert len(said.sent) == 1


def test_what_a_newer_platform_adds_is_passed_over() -> None:
    said = script(good({**JOB, "newer": {"deep": 1}, "lineage": None}))
    assert said.client().jobs.get("team", "first").name == "first"


def test_a_word_that_a_newer_platform_adds_is_taken() -> None:
    said = script(good({**KEY, "role": "Newer", "state": "Newest"}))
    assert said.client().keys.revoke("a", reason="lost").state == "Newest"


def test_a_token_is_asked_for_anew_for_each_request() -> None:
    said = script(refusal(503), good(JOB))
    tokens = iter(["one\n", "two"])
    said.client(token=lambda: next(tokens)).jobs.get("team", "first")
    assert [each.headers["Authorization"] for each in said.sent] == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("url", ["", "coxswain.example", "ftp://coxswain.example", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        AsyncClient(url)


async def test_the_other_client_waits_alike() -> None:
    said: Script = script(NOBODY, refusal(429, after=2), good(JOB))
    said.draw = 0.5
    async with AsyncClient(
        URL,
        transport=httpx.MockTransport(said),
        pacing=said.pacing,
        sleep=said.sleep_awaited,
    ) as client:
        assert (await client.jobs.get("team", "first")).id == "1"
    assert said.waits == [0.125, 2.0]


def test_a_list_is_read_page_by_page_as_far_as_it_is_wanted() -> None:
    pages = [{"items": [JOB, JOB], "next": "c/1"}, {"items": [JOB]}]
    said = script(*map(good, pages))
    found = said.client().jobs.list("team", phase="Running")
    assert next(iter(found)).id == "1"
    assert len(said.sent) == 1
    assert len(list(found)) == 2
    assert [dict(each.url.params) for each in said.sent] == [
        {"phase": "Running"},
        {"phase": "Running", "cursor": "c/1"},
    ]


def test_words_of_a_path_cannot_leave_their_place() -> None:
    said = script(good(JOB))
    said.client().jobs.get("team", "../a b?c")
    assert said.sent[0].url.raw_path == b"/v1/workspaces/team/jobs/..%2Fa%20b%3Fc"


@pytest.mark.parametrize("word", ["", ".", ".."])
def test_a_word_that_names_nothing_is_refused_before_anything_is_sent(word: str) -> None:
    said = script(good(JOB))
    with pytest.raises(ValueError, match=r"name: .* names nothing"):
        said.client().jobs.get("team", word)
    assert said.sent == []
