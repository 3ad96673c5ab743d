"""Requests as rows of the audit log: who, in which workspace, about which object, and why."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID as UUID

from coxswain.api import payload
from coxswain.api.audit import Actor, AuditEntry, Object, Outcome
from coxswain.api.meta import Model
from coxswain.identity.callers import AgentCaller, PodCaller
from coxswain.sidecar.denials import ANONYMOUS_KIND
from coxswain.store import uuid7
from coxswain.web import request_ids
from coxswain.web.auditing import Act
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


def denial(action: str, caller: object | None, code: str) -> AuditEntry:
    """The row of a request that was refused at the door, or by a right."""
    return AuditEntry(
        id=uuid7.new(datetime.now(UTC)),
        action=action,
        outcome=Outcome.DENIED,
        actor=_actor(caller),
        workspace=_workspace(caller),
        request_id=request_ids.current(),
        details={"code": code},
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
        return Object("Job", act.caller.run.job_name, act.caller.run.key.job_uid)
    if act.path.startswith(OF_RUNS):
        return Object("Job", uid=_text(body.get("run")).partition("/")[0][:64])
    collection = act.path.partition("{workspace}/")[2] or act.path.removeprefix("/v1/")
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
