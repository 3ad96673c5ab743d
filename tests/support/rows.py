"""Rows to put into a database of a test."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from coxswain.api.contract import RunDocument
from coxswain.api.lease import LeaseSpec
from coxswain.api.records import Event, NewLease, NewRun, ObjectRow, Run, RunKey
from coxswain.store import uuid7
from coxswain.store.claims import Pod


def event(name: str = "user.note", /, **fields: Any) -> Event:
    """An event of now."""
    return Event(
        id=fields.pop("id", uuid7.new(datetime.now(UTC))),
        type=name,
        actor=fields.pop("actor", "user:local"),
        **fields,
    )


def new_run(job_uid: str | None = None, attempt: int = 1, **fields: Any) -> NewRun:
    """A run of the Job "first" in workspace "team"; its pod is "first-pod-N"."""
    uid = job_uid or str(uuid4())
    leases = fields.pop("leases", [])
    return NewRun(
        key=RunKey(uid, attempt),
        workspace="team",
        job_name=fields.pop("job_name", "first"),
        agent_name="reader",
        pod_name=fields.pop("pod_name", f"first-pod-{attempt}"),
        service_account="coxswain-agent",
        document=document(uid, attempt, **{"leases": leases, **fields.pop("document", {})}),
        **fields,
    )


def document(job_uid: str, attempt: int = 1, **fields: Any) -> RunDocument:
    """What the pod of a run reads."""
    known: dict[str, Any] = {
        "workspace": "team",
        "job_name": "first",
        "job_uid": job_uid,
        "attempt": attempt,
        "title": "The first",
        "prompt": "What is it about?",
        "agent_name": "reader",
        "agent_uid": str(uuid4()),
        "timeout_seconds": 60,
    }
    return RunDocument(**(known | fields))


def run_of(document: RunDocument) -> Run:
    """The row of a run that a pod has claimed."""
    now = datetime.now(UTC)
    return Run(
        key=RunKey(document.job_uid, document.attempt),
        workspace=document.workspace,
        job_name=document.job_name,
        agent_name=document.agent_name,
        pod_name="pod",
        service_account="coxswain-agent",
        token=1,
        document=document,
        pod_uid="uid",
        claimed_at=now,
        heartbeat_at=now,
        last_seq=0,
        highest_seq=0,
        acts_open={},
        result=None,
        result_at=None,
        cancel_requested=False,
        closed_at=None,
        closed_reason=None,
    )


def new_lease(name: str = "deploy", **fields: Any) -> NewLease:
    """A Lease of workspace "team" as the operator defines it; spec fields by their Python names."""
    known = {
        each: fields.pop(each) for each in ("uid", "last_token", "last_holder") if each in fields
    }
    spec = LeaseSpec(**{"resource": f"git:{name}", "ttl_seconds": 30, **fields})
    return NewLease("team", name, known.pop("uid", None) or str(uuid4()), spec, **known)


def pod(
    *,
    workspace: str = "team",
    account: str = "coxswain-agent",
    name: str = "first-pod-1",
    uid: str | None = None,
) -> Pod:
    """The pod that ``new_run`` expects; each call another uid."""
    return Pod(workspace=workspace, account=account, name=name, uid=uid or str(uuid4()))


def job(name: str = "first", version: int = 1, **fields: Any) -> ObjectRow:
    """The mirror's row of a Job."""
    uid = fields.pop("uid", str(uuid4()))
    return ObjectRow(
        uid=uid,
        kind=fields.pop("kind", "Job"),
        workspace=fields.pop("workspace", "team"),
        name=name,
        generation=1,
        resource_version=str(version),
        phase=fields.pop("phase", "Queued"),
        created_at=fields.pop("created_at", datetime.now(UTC)),
        body={"metadata": {"name": name, "uid": uid}, "spec": fields.pop("spec", {})},
    )


async def triggers(admin: str, schedule_uid: str, count: int) -> None:
    """So many triggers of a Schedule that nobody has handled."""
    connection = await asyncpg.connect(admin)
    await connection.execute(
        "INSERT INTO triggers (schedule_uid, workspace, schedule_name, source, delivery_id, digest)"
        " SELECT $1, 'team', 'nightly', 'Webhook', n::text, '' FROM generate_series(1, $2) AS n",
        schedule_uid,
        count,
    )
    await connection.close()
