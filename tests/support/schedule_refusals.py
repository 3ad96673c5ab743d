"""Schedules that must be refused, as in ``refusals``."""

from typing import Any

from tests.support.refused import Body, Refused


def _bad(field: str, bad: Any, place: str = "", words: str = "") -> Refused:
    return Refused("Schedule", field, bad, place or f"spec.{field}", words)


def _template(**fields: Any) -> Body:
    return {"spec": {"agentRef": {"name": "a"}, "title": "t", "prompt": "p", **fields}}


_ONE = "set exactly one of cron, interval, at, onEvent, webhook, poll, heartbeat"
_INSTANT = "is an instant from 1970 to 2999, such as 2026-11-29T08:00:00+01:00"
_TEMPLATE = "idempotencyKey and cancel are for one Job, not for a template"

BY_RULE = (
    _bad("interval", None, "spec", _ONE),
    _bad(
        "interval", {"seconds": 60, "phaseSeconds": 60}, words="phaseSeconds is less than seconds"
    ),
    _bad("at", "1969-11-29T08:00:00Z", "spec", f"at {_INSTANT}"),
    _bad("startAt", "2026-02-30T08:00:00Z", "spec", f"startAt {_INSTANT}"),
    _bad("endAt", "1970-01-01T00:00:00Z", "spec", f"endAt {_INSTANT}"),
    _bad("startAt", "9999-12-31T23:59:59-10:00", "spec", f"startAt {_INSTANT}"),
    _bad(
        "webhook",
        {"scheme": "GitHub", "secretRef": {"name": "s"}, "signatureHeader": "X"},
        words="signatureHeader is for the scheme HMAC; the others have theirs",
    ),
    _bad("onEvent", {"type": "schedule.fired"}, words="what Schedules do fires no Schedule"),
    _bad(
        "jobTemplate",
        {**_template(), "metadata": {"labels": {"a b": "c"}}},
        "spec.jobTemplate.metadata",
        "labels have names such as coxswain.dev/owner",
    ),
    _bad("jobTemplate", _template(cancel=True), "spec.jobTemplate.spec", _TEMPLATE),
    _bad("jobTemplate", _template(idempotencyKey="k"), "spec.jobTemplate.spec", _TEMPLATE),
)
BY_BOUND = (
    _bad("cron", []),
    _bad("cron", ["0 9 * *"], "spec.cron[0]"),
    _bad("cron", ["* * * * * *"], "spec.cron[0]"),
    _bad("cron", "0 9 * * *"),
    _bad("interval", {"seconds": 0}, "spec.interval.seconds"),
    _bad("interval", {"seconds": 0.5}, "spec.interval.seconds"),
    _bad("heartbeat", {"seconds": 0}, "spec.heartbeat.seconds"),
    _bad("at", "2026-11-29T08:00:00"),
    _bad("at", "tomorrow"),
    _bad("timeZone", "../etc"),
    _bad("overlap", "Forbid"),
    _bad("bufferLimit", 0),
    _bad("catchUpWindowSeconds", 9),
    _bad("startingDeadlineSeconds", 0),
    _bad("jitterSeconds", 86_401),
    _bad("maxRuns", 0),
    _bad("successfulJobsHistoryLimit", 101),
    _bad("webhook", {"scheme": "GitHub"}, "spec.webhook.secretRef"),
    _bad("webhook", {"scheme": "Morse", "secretRef": {"name": "s"}}, "spec.webhook.scheme"),
    _bad(
        "webhook",
        {"scheme": "GitHub", "secretRef": {"name": "s"}, "replayWindowSeconds": 9},
        "spec.webhook.replayWindowSeconds",
    ),
    _bad("poll", {"url": "https://a.b/", "intervalSeconds": 9}, "spec.poll.intervalSeconds"),
    _bad("poll", {"url": "ftp://a.b/", "intervalSeconds": 60}, "spec.poll.url"),
    _bad("poll", {"url": "https://a b/", "intervalSeconds": 60}, "spec.poll.url"),
    _bad("poll", {"url": "https://a/\u00a0", "intervalSeconds": 60}, "spec.poll.url"),
    _bad("jobTemplate", None),
    _bad("jobTemplate", {"spec": {"title": "t", "prompt": "p"}}, "spec.jobTemplate.spec.agentRef"),
)
