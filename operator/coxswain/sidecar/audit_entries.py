"""Requests as rows of the audit log: who, in which workspace, about which object, and why."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID as UUID

from coxswain.api import payload
from coxswain.api.audit import Actor, AuditEntry, Object, Outcome
from coxswain.api.meta import Model
from coxswain.identity.callers import AgentCaller, PodCaller
from coxswain.store import uuid7
from coxswain.web import request_ids
from coxswain.web.auditing import NO_ROUTE, Act, Refusal
from coxswain.web.denial_sums import ANONYMOUS_KIND
from coxswain.web.routes import Answer

ANONYMOUS = Actor(ANONYMOUS_KIND)
KINDS = {
    "jobs": "Job",
    "agents": "Agent",
    "schedules": "Schedule",
    "leases": "Lease",
    "job-types": "JobType",
    "deliveries": "Delivery",
    "events": "Event",
    "keys": "ApiKey",
    "flags": "Flag",
}
OF_RUNS = "/v1/run/"
SHOWN = (
    "decision",
    "attempt",
    "token",
    "since",
    "until",
    "overlap",
    "hash",
    "phase",
    "status",
    "artifact",
    "parent",
    "schedulesEnabled",
    "demoProvider",
)
"""Fields of path and body that say what was decided, and hold no content."""
MOST = 200

Details = dict[str, str | int | bool | None]


def of(act: Act, outcome: Outcome) -> AuditEntry:
    """The row of a request that was let in. Of its body only a hash is kept, and why it was asked."""
    path, body = _fields(act.given.get("path")), _fields(act.given.get("body"))
    return AuditEntry(
        id=uuid7.new(datetime.now(UTC)),
        action=act.action,
        outcome=outcome,
        actor=_actor(act.caller),
        workspace=str(path.get("workspace") or _workspace(act.caller)),
        object=_object(act, path, body),
        reason=str(body.get("reason") or ""),
        request_id=request_ids.current(),
        hashes=_hashes(act.given),
        details={**_of_run(act.caller), **_shown({**path, **body})},
    )


def denial(refusal: Refusal, onboarded: Collection[str]) -> AuditEntry:
    """The row of a request that was refused at the door, or by a right.

    It stands in the workspace that was asked for if that is one of ours. Of others the details tell: each
    workspace of the log has a chain for good, and nobody gets one by asking for it.
    """
    workspace, asked = _workspace(refusal.caller), refusal.place.get("workspace", "")
    details: Details = {"code": refusal.code}
    if asked in onboarded:
        workspace = asked
    elif asked not in {"", workspace}:
        details["workspace"] = asked
    return AuditEntry(
        id=uuid7.new(datetime.now(UTC)),
        action=refusal.action,
        outcome=Outcome.DENIED,
        actor=_actor(refusal.caller),
        workspace=workspace,
        object=_refused(refusal),
        request_id=request_ids.current(),
        details=details,
    )


def made(answer: object, asked: Object) -> Object:
    """The object that an answer tells of: its name and id may be known only now."""
    body = answer.body if isinstance(answer, Answer) else answer
    if not isinstance(body, Model):
        return asked
    name, uid = getattr(body, "name", None), getattr(body, "id", None)
    return Object(asked.kind, _text(name) or asked.name, _text(uid)[:64] or asked.uid)


def _actor(caller: object | None) -> Actor:
    return ANONYMOUS if caller is None else Actor.of(str(caller))


def _workspace(caller: object | None) -> str:
    match caller:
        case AgentCaller():
            return caller.run.workspace
        case PodCaller():
            return caller.pod.workspace
        case _:
            return ""


def _object(act: Act, path: Mapping[str, Any], body: Mapping[str, Any]) -> Object:
    if isinstance(act.caller, AgentCaller):
        return _job_of(act.caller)
    if act.path.startswith(OF_RUNS):
        return Object("Job", uid=_text(body.get("run")).partition("/")[0][:64])
    return _named(act.path, path, body)


def _refused(refusal: Refusal) -> Object:
    if refusal.path == NO_ROUTE:
        return Object()
    if refusal.path.startswith(OF_RUNS):
        return _job_of(refusal.caller) if isinstance(refusal.caller, AgentCaller) else Object()
    return _named(refusal.path, refusal.place, {})


def _job_of(caller: AgentCaller) -> Object:
    return Object("Job", caller.run.job_name, caller.run.key.job_uid)


def _named(route: str, path: Mapping[str, Any], body: Mapping[str, Any]) -> Object:
    collection = route.partition("{workspace}/")[2] or route.removeprefix("/v1/")
    word = collection.partition("/")[0]
    metadata = body.get("metadata") or {}
    named = (
        path.get("name"),
        path.get("delivery"),
        path.get("key"),
        body.get("name"),
        metadata.get("name"),
    )
    return Object(KINDS.get(word, word), next((_text(each) for each in named if each), ""))


def _of_run(caller: object | None) -> Details:
    return {"attempt": caller.run.key.attempt} if isinstance(caller, AgentCaller) else {}


def _fields(given: object) -> dict[str, Any]:
    """What was given, as JSON; nothing where nothing was."""
    if not isinstance(given, Model):
        return {}
    return given.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _hashes(given: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    body, content = given.get("body"), given.get("content")
    if isinstance(body, Model):
        found["body"] = _sha256(payload.canonical(_fields(body)).encode())
    if isinstance(content, bytes):
        found["content"] = _sha256(content)
    return found


def _shown(fields: Mapping[str, Any]) -> Details:
    shown: Details = {}
    for name in SHOWN:
        value = fields.get(name)
        if isinstance(value, bool | int):
            shown[name] = value
        elif isinstance(value, str):
            shown[name] = value[:MOST]
    if isinstance(events := fields.get("events"), list):
        shown["events"] = len(events)
    return shown


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
