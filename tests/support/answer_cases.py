"""For each invariant of what callers of the API heard: histories that break it, each beside one that keeps it."""

from dataclasses import replace
from types import ModuleType
from typing import Any
from uuid import uuid4

from coxswain import names
from coxswain.api.contract import ResultStatus, RunResult
from coxswain.store.events import StoredEvent
from tests.faults.history import Heard, History
from tests.faults.invariants import answers_stand, events_of_runs_once, one_job_per_key
from tests.support import builders
from tests.support.histories import JOB, heard, history, job, row, said, told


def _annotated(name: str) -> dict[str, Any]:
    raw = job()
    return {**raw, "metadata": {**raw["metadata"], "annotations": {name: "{}"}}}


def _keyed(name: str) -> dict[str, Any]:
    return builders.job(name).with_spec(idempotencyKey="k").raw


def _batch(events: dict[str, str], answer: dict[str, Any] | None) -> Heard:
    return heard("events", answer, events=events)


def _log(kind: str, name: str, **details: Any) -> StoredEvent:
    made = told(1, kind)
    return replace(made, event=replace(made.event, name=name, uid=None, details=details))


IDS = [str(uuid4()) for _ in range(3)]
DONE = RunResult(status=ResultStatus.SUCCEEDED)
CLAIMED = heard("claim", {"token": 4}, pod="pod-a")
ENDED = heard("result", {}, result=DONE.to_wire())
AGREED = heard("agree", {}, hash="h")
FOLLOWED = heard("follow", {"positions": [1, 3]})
TAKEN = heard("take", {"token": 4}, lease="deploy", holder="first")
LET_GO = heard("let go", {}, lease="deploy", holder="first", token=4)
GIVEN = _log("lease.acquired", "deploy", token=4)
# What breaks the answer, and what keeps it.
ANSWERS = [
    (
        history(runs=(row(1, "pod-b", token=4),), heard=(CLAIMED,)),
        history(runs=(row(1, "pod-a", token=4),), heard=(CLAIMED,)),
    ),
    (
        history(runs=(row(1, "pod-a"),), heard=(ENDED,)),
        history(runs=(replace(row(1, "pod-a"), result=DONE),), heard=(ENDED,)),
    ),
    (
        history(runs=(row(1, "pod-a"),), heard=(ENDED,)),
        history(runs=(row(1, "pod-a"),), heard=(replace(ENDED, answer=None),)),
    ),
    (
        history(job(), heard=(heard("cancel", {}),)),
        history(_annotated(names.ANNOTATION_CANCEL), heard=(heard("cancel", {}),)),
    ),
    (
        history(
            events=(_log("run.approval.ended", "j", hash="h", state="ApprovalDenied"),),
            heard=(AGREED,),
        ),
        history(
            events=(_log("run.approval.ended", "j", hash="h", state="Approved"),), heard=(AGREED,)
        ),
    ),
    (
        history(heard=(heard("ask", {"hash": "h", "state": "Approved"}),)),
        history(heard=(heard("ask", {"hash": "h", "state": "ApprovalPending"}),)),
    ),
    (history(heard=(TAKEN,)), history(events=(GIVEN,), heard=(TAKEN,))),
    (
        history(
            events=(GIVEN,),
            heard=(TAKEN, heard("take", {"token": 4}, lease="deploy", holder="second")),
        ),
        history(events=(GIVEN,), heard=(TAKEN, TAKEN)),
    ),
    (
        history(heard=(LET_GO,)),
        history(events=(_log("lease.released", "deploy", token=4),), heard=(LET_GO,)),
    ),
    (
        history(events=(told(1, "a"), told(2, "b"), told(3, "c")), heard=(FOLLOWED,)),
        history(events=(told(1, "a"), told(3, "c"), told(4, "d")), heard=(FOLLOWED,)),
    ),
]
CASES: list[tuple[ModuleType, History, History]] = [
    (
        one_job_per_key,
        history(_keyed("j"), _keyed("other"), heard=(heard("create", key="k"),)),
        history(_keyed("j"), _keyed("other")),
    ),
    (
        one_job_per_key,
        history(heard=(heard("create", {"job": JOB}, key="k"),)),
        history(_keyed("j"), heard=(heard("create", {"job": JOB}, key="k"),)),
    ),
    (
        events_of_runs_once,
        history(events=(said(1, IDS[0]), said(1, IDS[1]))),
        history(events=(said(1, IDS[0]), said(2, IDS[1]), said(1, IDS[2], attempt=2))),
    ),
    (
        events_of_runs_once,
        history(events=(said(1, IDS[0]),), heard=(_batch({"2": IDS[1]}, {"lastSeq": 1}),)),
        history(events=(said(1, IDS[0]),), heard=(_batch({"2": IDS[1]}, None),)),
    ),
    (
        events_of_runs_once,
        history(events=(said(2, IDS[1]),), heard=(_batch({"2": IDS[1]}, {"lastSeq": 2}),)),
        history(events=(said(2, IDS[1]),), heard=(_batch({"2": IDS[1]}, {"lastSeq": 0}),)),
    ),
    *((answers_stand, bad, good) for bad, good in ANSWERS),
]
