"""How a Job, its pods and its rows look in a state: small, and equal where they are the same.

A resourceVersion counts only by which of two forms is newer, so after each step versions are numbered
anew from 1: two histories that left the same behind are one state.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from coxswain import names
from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.kind import Job as JobObject
from coxswain.api.records import Run, RunKey
from coxswain.errors import (
    ConflictError,
    FencedError,
    NotFoundError,
    TransientError,
    UnavailableError,
)
from coxswain.kube import answers
from coxswain.reconcile.cache import Cache, Raw
from tests.support import builders

START = datetime(2026, 11, 21, 3, 1, tzinfo=UTC)
LONG = timedelta(days=10)
"""Longer than any time limit of a Job."""
NAME = "read"
UID = builders.uid_of("Job", NAME)
AGENT = builders.agent().ready().raw


class Job(NamedTuple):
    """The object. ``status`` is JSON text; ``most`` the attempts of its spec."""

    status: str
    is_cancelled: bool
    most: int
    version: int

    @property
    def place(self) -> tuple[Any, ...]:
        """Which object it is of."""
        return ("Job",)


class Pod(NamedTuple):
    """A pod; ``born`` tells those of one name apart. Times count in ``LONG``."""

    attempt: int
    born: int
    made_at: int
    phase: str = "Pending"
    since: int | None = None
    over_at: int | None = None
    is_deleting: bool = False
    version: int = 1

    @property
    def place(self) -> tuple[Any, ...]:
        """Which object it is of."""
        return ("pod", self.attempt, self.born)

    @property
    def uid(self) -> str:
        """Its uid."""
        return f"pod-{self.attempt}-{self.born}"

    @property
    def text(self) -> str:
        """For people."""
        again = f" (the {self.born}. of its name)" if self.born > 1 else ""
        return f"pod {self.attempt}{again} {self.phase}{' deleting' if self.is_deleting else ''}"

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.phase in ("Succeeded", "Failed")


class Row(NamedTuple):
    """The run row of an attempt."""

    token: int
    pod_uid: str | None = None
    heard_at: int | None = None
    result: str | None = None
    act: bool = False
    closed: str | None = None

    @property
    def text(self) -> str:
        """For people."""
        words = [f"token {self.token}", "claimed" if self.pod_uid else "unclaimed"]
        words += [word for word in (self.result, self.closed and f"closed {self.closed}") if word]
        return " ".join(words)


class Told(NamedTuple):
    """An answer: an object, a row, a word, or why there is none."""

    sort: str
    what: Any = None

    @property
    def text(self) -> str:
        """For people."""
        if self.sort == "row":
            return "no row" if self.what is None else self.what[1].text
        return str(self.what) if self.sort in ("error", "word", "yes") else f"the {self.sort}"


ERRORS = {
    "not found": NotFoundError("it is not there"),
    "conflict": ConflictError("it has changed"),
    "exists": ConflictError("it is there", code=answers.ALREADY_EXISTS),
    "unavailable": UnavailableError("nobody answers"),
    "lost": TransientError("no answer came"),
    "fenced": FencedError("another one leads"),
}


def clock(at: int) -> datetime:
    """The time that a state counts."""
    return START + at * LONG


def name_of(attempt: int) -> str:
    """The name of the pod of an attempt."""
    return names.attempt_pod(NAME, UID, attempt)


def put(cache: Cache, form: Any) -> None:
    """Put a form into memory as the object that it stands for, beside the Agent."""
    if isinstance(form, Job):
        cache.put("Agent", AGENT)
        cache.put("Job", job_raw(form))
    else:
        cache.put("Pod", pod_raw(form))


def form_of(raw: Raw) -> Any:
    """The form that an object was made from."""
    return raw["form"]


@lru_cache(maxsize=200_000)
def job_raw(form: Job) -> dict[str, Any]:
    """The Job as the API server has it."""
    job = builders.job(NAME).with_attempts(form.most).with_spec(review={"onUnknown": "Fail"})
    if form.is_cancelled:
        job = job.cancelled().with_metadata(generation=2)
    job = job.with_metadata(resourceVersion=str(form.version))
    return {**job.raw, "status": json.loads(form.status), "form": form}


@lru_cache(maxsize=200_000)
def pod_raw(form: Pod) -> dict[str, Any]:
    """The pod as the API server has it."""
    metadata: dict[str, Any] = {
        "name": name_of(form.attempt),
        "namespace": builders.NAMESPACE,
        "uid": form.uid,
        "resourceVersion": str(form.version),
        "creationTimestamp": clock(form.made_at).isoformat(),
        "labels": {names.LABEL_ATTEMPT: str(form.attempt), names.LABEL_AGENT: "helm"},
        "ownerReferences": [
            {
                "apiVersion": names.API_VERSION,
                "kind": "Job",
                "name": NAME,
                "uid": UID,
                "controller": True,
            }
        ],
    }
    if form.is_deleting:
        metadata["deletionTimestamp"] = clock(form.made_at).isoformat()
    return {"metadata": metadata, "spec": {"containers": []}, "status": _status(form), "form": form}


def _status(form: Pod) -> dict[str, Any]:
    if form.since is None and not form.is_over:
        return {"phase": form.phase}
    began = {} if form.since is None else {"startedAt": clock(form.since).isoformat()}
    state: dict[str, Any] = {"running": began}
    if form.is_over:
        code = 0 if form.phase == "Succeeded" else 3
        at = clock(form.over_at or 0).isoformat()
        state = {"terminated": {**began, "finishedAt": at, "exitCode": code}}
    container = {"name": names.AGENT_CONTAINER, "state": state}
    return {"phase": form.phase, "containerStatuses": [container]}


@lru_cache(maxsize=100_000)
def run_of(attempt: int, row: Row) -> Run:
    """A row as the records give it."""
    made = builders.job(NAME).parsed
    document = _document(attempt)
    result = None if row.result is None else RunResult(status=ResultStatus(row.result))
    at = None if row.heard_at is None else clock(row.heard_at)
    return Run(
        key=RunKey(UID, attempt),
        workspace=made.metadata.namespace,
        job_name=NAME,
        agent_name="helm",
        pod_name=name_of(attempt),
        service_account=names.AGENT_SERVICE_ACCOUNT,
        token=row.token,
        document=document,
        pod_uid=row.pod_uid,
        claimed_at=at,
        heartbeat_at=at,
        last_seq=0,
        acts_open={"1": "send mail"} if row.act else {},
        result=result,
        result_at=at if result is not None else None,
        cancel_requested=False,
        closed_at=None if row.closed is None else START,
        closed_reason=row.closed,
    )


@lru_cache
def _document(attempt: int) -> Any:
    return builders.run_document(builders.agent().parsed, builders.job(NAME).parsed, attempt)


def meaning(told: Any) -> Any:
    """What an answer is to the program."""
    match told.sort:
        case "job":
            return job_raw(told.what)
        case "pod":
            return pod_raw(told.what)
        case "row":
            return None if told.what is None else run_of(*told.what)
        case "error":
            error = ERRORS[told.what]
            # Raised many times: one that is thrown again must not carry its former way.
            return type(error)(error.message, code=error.code)
        case _:
            return told.what


def status_of(form: Job) -> dict[str, Any]:
    """The status, as JSON."""
    found: dict[str, Any] = json.loads(form.status)
    return found


@lru_cache(maxsize=200_000)
def phase_of(status: str) -> str | None:
    """The phase that a status tells."""
    found: str | None = json.loads(status).get("phase")
    return found


def parsed(form: Job) -> JobObject:
    """The Job as the operator reads it."""
    return JobObject.parse(job_raw(form))
