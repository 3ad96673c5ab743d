"""What is told of a Job's end, and whom it may be told to."""

import json
from datetime import datetime

import pytest

from coxswain.api.callback import CallbackMessage
from coxswain.api.deliveries import NewDelivery
from coxswain.errors import ConfigurationError
from coxswain.reconcile import outbox
from coxswain.rules import callbacks
from coxswain.rules.callbacks import Policy, Skip
from coxswain.store import uuid7
from tests.support import builders, ended

DOMAINS = ["receiver.example", "*.hooks.example", "PLAIN.example."]
ORIGINS = ["http://plain.example:8080/", "https://receiver.example:8443"]
POLICY = callbacks.policy(enabled=True, domains=DOMAINS, origins=ORIGINS)


def test_the_end_of_a_job_is_told_in_a_stated_form() -> None:
    told = json.loads(ended.delivery().body)
    assert CallbackMessage.model_validate(told).data.phase == "Succeeded"
    assert told == {
        "version": 1,
        "type": "job.succeeded",
        "timestamp": ended.FINISHED,
        "data": {
            "id": builders.uid_of("Job", "read"),
            "workspace": builders.job().namespace,
            "name": "read",
            "phase": "Succeeded",
            "reason": "Answered",
            "message": "the agent answered",
            "result": {"answer": "zweiundvierzig, früher 41", "truncated": False},
            "attempts": 2,
            "attemptsUsed": 2,
            "createdAt": ended.CREATED,
            "startedAt": "2026-11-21T03:00:01Z",
            "finishedAt": ended.FINISHED,
        },
    }


def test_the_same_end_gives_the_same_delivery_with_the_time_of_the_end_in_its_id() -> None:
    first, again = ended.delivery(), ended.delivery()
    assert first == again
    assert ended.delivery("other").id != first.id
    finished = datetime.fromisoformat(ended.FINISHED)
    assert abs((uuid7.time_of(first.id) - finished).total_seconds()) < 0.001


@pytest.mark.parametrize(
    "raw",
    [
        builders.job().raw,
        builders.job().with_spec(callback={"url": ended.URL}).raw,
        builders.job().with_spec(callback={"url": ended.URL}).running().raw,
        ended.job(url=None),
        ended.job(url="gopher://older.than.the.schema"),
    ],
    ids=["nothing", "not begun", "running", "nobody wants it", "no URL of ours"],
)
def test_nothing_is_owed_before_the_end_or_to_nobody(raw: dict[str, object]) -> None:
    assert outbox.of("Job", raw) == ()


def test_nothing_is_owed_for_another_kind() -> None:
    assert outbox.of("Agent", ended.job()) == ()


def test_a_job_that_ended_without_any_attempt_is_told_too() -> None:
    raw = builders.job().with_spec(callback={"url": ended.URL}).raw
    raw["status"] = {"phase": "Cancelled", "finishedAt": ended.FINISHED}
    (owed,) = outbox.of("Job", raw)
    assert isinstance(owed, NewDelivery)
    assert json.loads(owed.body)["data"]["attempts"] == 0
    assert owed.type == "job.cancelled"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://receiver.example/hook", None),
        ("https://RECEIVER.example.:443/hook?a=b", None),
        ("https://a.hooks.example", None),
        ("https://a.b.hooks.example", None),
        ("https://hooks.example", Skip.DOMAIN_NOT_ALLOWED),
        ("https://receiver.example.evil.test", Skip.DOMAIN_NOT_ALLOWED),
        ("https://xreceiver.example", Skip.DOMAIN_NOT_ALLOWED),
        ("https://sub.receiver.example", Skip.DOMAIN_NOT_ALLOWED),
        ("https://evilhooks.example", Skip.DOMAIN_NOT_ALLOWED),
        ("https://example", Skip.DOMAIN_NOT_ALLOWED),
        ("http://receiver.example", Skip.NOT_ENCRYPTED),
        ("https://plain.example", None),
        ("http://plain.example:8080/x", None),
        ("http://plain.example", Skip.NOT_ENCRYPTED),
        ("https://receiver.example:8443/x", None),
        ("https://receiver.example:8444/x", Skip.PORT_NOT_ALLOWED),
        ("https://receiver.example:0/x", Skip.PORT_NOT_ALLOWED),
        ("https://receiver.example:99999", Skip.URL_INVALID),
        ("https://...", Skip.URL_INVALID),
    ],
)
def test_whom_a_callback_may_be_told_to(url: str, wanted: Skip | None) -> None:
    assert callbacks.refusal(url, POLICY) is wanted


def test_an_empty_list_of_domains_denies_all_whatever_origins_are_listed() -> None:
    rules = callbacks.policy(enabled=True, domains=[], origins=["https://receiver.example"])
    assert callbacks.refusal(ended.URL, rules) is Skip.DOMAIN_NOT_ALLOWED


def test_an_origin_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="is no origin such as"):
        callbacks.policy(enabled=True, domains=[], origins=["http://a.test:99999"])


def test_switched_off_nothing_is_told() -> None:
    rules = Policy(enabled=False, domains=POLICY.domains)
    assert callbacks.refusal(ended.URL, rules) is Skip.DISABLED


@pytest.mark.parametrize(
    ("url", "is_listed"),
    [
        ("http://plain.example:8080/deep/path?x", True),
        ("https://receiver.example:8443", True),
        ("https://receiver.example/", False),
    ],
)
def test_only_a_listed_origin_may_be_at_any_address(url: str, is_listed: bool) -> None:
    assert callbacks.is_listed(url, POLICY) is is_listed
