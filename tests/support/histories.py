"""Histories by hand, for tests of the invariants: a few objects, changed revision by revision.

history(pod("j", 1), pod("j", 2, phase="Running"))
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from coxswain import names
from coxswain.api.records import Event, Run, RunKey
from coxswain.store import events
from coxswain.store.events import StoredEvent
from tests.faults.history import Body, Change, Effect, Heard, History
from tests.support import builders, rows

JOB = builders.uid_of("Job", "j")


def history(*forms: Body, **more: Any) -> History:
    """Each form of an object is a revision; one that says ``gone`` is its deletion."""
    return History(changes=tuple(changes(forms)), **more)


def changes(forms: Sequence[Body]) -> list[Change]:
    """The revisions that bring these forms about, in their order."""
    known: dict[str, Body] = {}
    found = []
    for revision, form in enumerate(forms, start=1):
        uid = form["metadata"]["uid"]
        before = known.pop(uid, None)
        after = None if form.get("gone") else form
        if after is not None:
            known[uid] = after
        found.append(Change(revision, before, after))
    return found


def gone(form: Body) -> Body:
    """The deletion of an object."""
    return {**form, "gone": True}


def job(**status: Any) -> Body:
    """The Job j, with a status."""
    return builders.job("j").with_attempts(2).with_status(**status).raw


def gone_through(*phases: str, **more: Any) -> Body:
    """The Job j after these phases."""
    edges = [{"phase": each, "at": builders.CREATED, "attempt": 0} for each in phases]
    return job(phase=phases[-1], transitions=edges, **more)


def attempts(*numbers: int, tokens: Sequence[int] = (), **more: Any) -> Body:
    """The Job j with attempts of these numbers, and of these tokens."""
    given = tokens or numbers
    found = [
        {"number": number, "podName": f"j-{number}", "token": token}
        for number, token in zip(numbers, given, strict=True)
    ]
    return job(attempts=found, **more)


def pod(attempt: int, *, phase: str = "Running", name: str = "", owner: str = JOB) -> Body:
    """A pod of an attempt."""
    called = name or f"j-{attempt}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": called,
            "namespace": builders.NAMESPACE,
            "uid": builders.uid_of("Pod", called),
            "labels": {names.LABEL_ATTEMPT: str(attempt)},
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": "Job",
                    "name": "j",
                    "uid": owner,
                    "controller": True,
                }
            ],
        },
        "status": {"phase": phase},
    }


def row(attempt: int, pod_uid: str, token: int = 1) -> Run:
    """The row of an attempt of the Job j, claimed by a pod."""
    agent, asked = builders.agent().parsed, builders.job("j").parsed
    return replace(
        rows.run_of(builders.run_document(agent, asked, attempt)),
        key=RunKey(JOB, attempt),
        workspace=builders.NAMESPACE,
        job_name="j",
        pod_name=f"j-{attempt}",
        token=token,
        pod_uid=pod_uid,
    )


def told(position: int, kind: str, phase: str = "") -> StoredEvent:
    """An event of the Job j, at the time of all that ``gone_through`` says."""
    at = datetime.fromisoformat(builders.CREATED)
    event = Event(
        id=events.derived_id(JOB, 0, kind, at),
        type=kind,
        actor="operator",
        workspace=builders.NAMESPACE,
        kind="Job",
        name="j",
        uid=JOB,
        attempt=0,
        details={"phase": phase} if phase else {},
    )
    return StoredEvent(position, at, at, event)


def said(seq: int, id_: str, attempt: int = 1) -> StoredEvent:
    """An event of the agent of an attempt of the Job j; its position is its number."""
    made = told(seq, "run.custom.said")
    event = replace(made.event, id=UUID(id_), seq=seq, attempt=attempt)
    return replace(made, event=event)


def heard(call: str, answer: Body | None = None, **about: Any) -> Heard:
    """A call of the API, about the first attempt of the Job j unless it is said otherwise."""
    return Heard(0.0, call, {"job": JOB, "attempt": 1, **about}, answer)


def effect(attempt: int, pod_uid: str = "", token: int = 1) -> Effect:
    """An agent that began to work on an attempt of the Job j."""
    return Effect(JOB, attempt, pod_uid or str(uuid4()), token)
