"""Rows of Postgres as types: what decisions may ask for and snapshots may hold.

Pure, so that decisions know them; ``coxswain.store`` reads and writes them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from coxswain.api.contract import RunDocument, RunResult


@dataclass(frozen=True)
class RunKey:
    """Which run: attempt N of a Job."""

    job_uid: str
    attempt: int


@dataclass(frozen=True)
class NewRun:
    """A run that is about to get its pod. ``last_token`` is the highest one in the Job's status."""

    key: RunKey
    workspace: str
    job_name: str
    agent_name: str
    pod_name: str
    service_account: str
    document: RunDocument
    last_token: int = 0


@dataclass(frozen=True)
class Run:
    """A row, whole."""

    key: RunKey
    workspace: str
    job_name: str
    agent_name: str
    pod_name: str
    service_account: str
    token: int
    document: RunDocument
    pod_uid: str | None
    claimed_at: datetime | None
    heartbeat_at: datetime | None
    last_seq: int
    acts_open: dict[str, str]
    result: RunResult | None
    result_at: datetime | None
    cancel_requested: bool
    closed_at: datetime | None
    closed_reason: str | None
    highest_seq: int = 0


@dataclass(frozen=True)
class Event:
    """One thing that happened, to be appended. Its time is the one inside its id."""

    id: UUID
    type: str
    actor: str
    workspace: str = ""
    kind: str = ""
    name: str = ""
    uid: str | None = None
    attempt: int | None = None
    seq: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What a person said about a Job that needs agreement, and about which form of it."""

    approver: str
    hash: str
    approved: bool
    reason: str
    at: datetime


@dataclass(frozen=True)
class ObjectRow:
    """An object as it stood at a resourceVersion. ``body`` is the whole object, as JSON."""

    uid: str
    kind: str
    workspace: str
    name: str
    generation: int
    resource_version: str
    phase: str
    created_at: datetime
    body: dict[str, Any]
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class KeyHolder:
    """Which Job an idempotency key stands for. Without a uid the Job is about to be made."""

    workspace: str
    key: str
    payload_hash: str
    job_name: str
    job_uid: str | None = None
