"""What events of each type and version looked like when that version was new: all data that it had, and the least.

Never edited: a new field is no reason to, and what breaks one of these is a new version of its type.
"""

from typing import Any

_EDGE: dict[str, Any] = {"phase": "Failed", "reason": "ExitCode", "message": "why"}
_TOLD: dict[str, Any] = {
    "delivery": "0198f0a0-0000-7000-8000-000000000001",
    "host": "receiver.example",
    "try": 2,
    "status": 500,
    "error": "no answer",
    "reason": "GaveUp",
    "message": "why",
}
_CHANGE: dict[str, Any] = {
    "token": 7,
    "resource": "git:deploy",
    "became": "Held",
    "holder": "user:ada",
    "formerHolder": "job:first/1",
    "reason": "Expired",
    "message": "why",
    "run": "Lost",
}
_TICK: dict[str, Any] = {
    "tick": "2026-11-21T03:00:00+00:00",
    "source": "Time",
    "count": 3,
    "reason": "Overlap",
    "job": "nightly-1",
}
_PLACE: dict[str, Any] = {"host": "a.example", "port": 443}
_CALL: dict[str, Any] = {"hash": "abc", "tool": "run_command"}
_STEP: dict[str, Any] = {
    "step": "build",
    "milliseconds": 12,
    "exitCode": 3,
    "reason": "ExitCode",
    "message": "why",
}
_LEAST_EDGE = {"phase": "Failed"}
_LEAST_TOLD = {"delivery": "0198f0a0-0000-7000-8000-000000000001", "host": "receiver.example"}
_LEAST_CHANGE = {"token": 7, "resource": "git:deploy", "became": "Free"}
_LEAST_TICK = {"tick": "2026-11-21T03:00:00+00:00", "source": "Time", "count": 1}

_EDGES = ("queued", "retrying", "running", "review", "succeeded", "failed", "cancelled")
_CHANGES = ("acquired", "released", "reclaimed", "quarantined", "recovered")

GOLDEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{f"{kind}.created.v1": ({}, {}) for kind in ("job", "lease", "schedule")},
    **{f"{kind}.deleted.v1": ({}, {}) for kind in ("job", "agent", "lease", "schedule")},
    **{f"job.{edge}.v1": (_EDGE, _LEAST_EDGE) for edge in _EDGES},
    "attempt.started.v1": ({"pod": "p", "podUid": "u"}, {"pod": "p"}),
    "attempt.ended.v1": (
        {
            "pod": "p",
            "podUid": "u",
            "outcome": "Failed",
            "reason": "ExitCode",
            "message": "why",
            "exitCode": 3,
        },
        {"pod": "p"},
    ),
    "agent.ready.v1": ({"reason": "Ready"}, {}),
    "agent.not_ready.v1": ({"reason": "ModelNotReady"}, {}),
    **{f"lease.{each}.v1": (_CHANGE, _LEAST_CHANGE) for each in _CHANGES},
    **{f"schedule.{each}.v1": (_TICK, _LEAST_TICK) for each in ("fired", "skipped", "missed")},
    **{
        f"callback.{each}.v1": (_TOLD, _LEAST_TOLD)
        for each in ("delivered", "failed", "dead", "skipped")
    },
    "callback.redriven.v1": (
        {"delivery": "0198f0a0-0000-7000-8000-000000000001", "was": "Dead", "reason": "GaveUp"},
        {"delivery": "0198f0a0-0000-7000-8000-000000000001", "was": "Dead", "reason": ""},
    ),
    "approval.given.v1": ({"hash": "abc", "reason": "fine"}, {"hash": "abc"}),
    "approval.denied.v1": ({"hash": "abc", "reason": "not now"}, {"hash": "abc"}),
    "run.claimed.v1": ({"pod": "p", "token": 3}, {"pod": "p", "token": 3}),
    "run.result.v1": (
        {
            "status": "failed",
            "reason": "ExitCode",
            "message": "why",
            "exitCode": 3,
            "transient": True,
            "artifacts": ["out"],
        },
        {"status": "succeeded"},
    ),
    "run.approval.asked.v1": (_CALL, _CALL),
    "run.approval.ended.v1": (
        {**_CALL, "state": "Approved", "message": "ada agreed"},
        {**_CALL, "state": "Approved", "message": ""},
    ),
    "run.egress.opened.v1": ({**_PLACE, "address": "192.0.2.1", "encryptedHello": True}, _PLACE),
    "run.egress.closed.v1": (
        {
            **_PLACE,
            "connection": "0198f0a0-0000-7000-8000-000000000001",
            "outcome": "done",
            "sent": 1,
            "received": 2,
            "milliseconds": 3,
        },
        {
            **_PLACE,
            "connection": "0198f0a0-0000-7000-8000-000000000001",
            "outcome": "gateway_lost",
        },
    ),
    "run.egress.refused.v1": (
        {**_PLACE, "code": "host_not_listed", "message": "why"},
        {**_PLACE, "code": "host_not_listed", "message": ""},
    ),
    "run.output.v1": (
        {
            "stream": "stdout",
            "text": "hello",
            "source": "pod",
            "bytes": 5,
            "overflow": True,
            "truncated": False,
            "artifact": "stdout",
            "error": "why",
        },
        {"stream": "stderr", "text": ""},
    ),
    "run.model_call.v1": (
        {
            "step": 1,
            "outcome": "ok",
            "milliseconds": 5,
            "model": "m",
            "input_tokens": 2,
            "output_tokens": 3,
        },
        {"step": 1, "outcome": "PROVIDER_TIMEOUT"},
    ),
    "run.tool_call.v1": (
        {"id": "c1", "name": "read_file", "arguments": "{}", "sha256": "00"},
        {"id": "c1", "name": "read_file"},
    ),
    "run.tool_result.v1": (
        {
            "id": "c1",
            "name": "read_file",
            "outcome": "ok",
            "text": "t",
            "sha256": "00",
            "bytes": 1,
        },
        {"id": "c1", "name": "read_file", "outcome": "error"},
    ),
    "run.answer.v1": ({"text": "42"}, {"text": ""}),
    "run.step.started.v1": ({"step": "build", "number": 1, "of": 2}, {"step": "build"}),
    "run.step.succeeded.v1": (_STEP, {"step": "build"}),
    "run.step.failed.v1": (_STEP, {"step": "build"}),
    "run.step.skipped.v1": ({"step": "test", "because": "build"}, {"step": "test"}),
}
