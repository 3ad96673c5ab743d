"""What the API has answered is so: claims, results, requests to end, agreement, leases, and what was followed.

What it has not answered may be so or not.
"""

from collections import defaultdict
from collections.abc import Iterator

from coxswain import names
from tests.faults.history import Body, Breach, History


def breaches(history: History) -> Iterator[Breach]:
    """At the end: of each answer, by the rows, the objects and the log."""
    yield from _of_runs(history)
    yield from _of_requests(history)
    yield from _of_agreement(history)
    yield from _of_leases(history)
    yield from _of_streams(history)


def _of_runs(history: History) -> Iterator[Breach]:
    rows = {(each.key.job_uid, each.key.attempt): each for each in history.runs}
    for about, answer in history.answered("claim"):
        row = rows.get((about["job"], about["attempt"]))
        if row is None or (row.pod_uid, row.token) != (about["pod"], answer["token"]):
            yield Breach(
                0, f"{_run(about)} was given to pod {about['pod']}, and its row says no such thing"
            )
    for about, _ in history.answered("result"):
        row = rows.get((about["job"], about["attempt"]))
        kept = None if row is None or row.result is None else row.result.to_wire()
        if kept != about["result"]:
            yield Breach(0, f"{_run(about)} was heard with {about['result']}, and has {kept}")


def _of_requests(history: History) -> Iterator[Breach]:
    for about, _ in history.answered("cancel"):
        annotations = history.last[about["job"]]["metadata"].get("annotations") or {}
        if names.ANNOTATION_CANCEL not in annotations:
            yield Breach(0, f"{about['job']} was asked to end, and does not know of it")


def _of_agreement(history: History) -> Iterator[Breach]:
    states = {
        each.event.details["hash"]: each.event.details["state"]
        for each in history.events
        if each.event.type == "run.approval.ended"
    }
    for about, _ in history.answered("agree"):
        if states.get(about["hash"]) != "Approved":
            yield Breach(0, f"{about['hash']} was agreed to, and is {states.get(about['hash'])}")
    for about, answer in history.answered("ask"):
        if answer["state"] not in ("ApprovalPending", states.get(answer["hash"])):
            yield Breach(0, f"{_run(about)} heard {answer['state']} of {answer['hash']}")


def _of_leases(history: History) -> Iterator[Breach]:
    told = {
        (each.event.type, each.event.name, each.event.details["token"])
        for each in history.events
        if each.event.type in ("lease.acquired", "lease.released")
    }
    holders: dict[tuple[str, int], set[str]] = defaultdict(set)
    for about, answer in history.answered("take"):
        holders[about["lease"], answer["token"]].add(about["holder"])
        if ("lease.acquired", about["lease"], answer["token"]) not in told:
            yield Breach(
                0, f"{about} was given token {answer['token']}, and the log tells no such thing"
            )
    for about, _ in history.answered("let go"):
        if ("lease.released", about["lease"], about["token"]) not in told:
            yield Breach(0, f"{about} was let go, and the log tells no such thing")
    for (lease, token), found in holders.items():
        if len(found) > 1:
            yield Breach(0, f"{lease} was given with token {token} to {sorted(found)}")


def _of_streams(history: History) -> Iterator[Breach]:
    for about, answer in history.answered("follow"):
        heard = answer["positions"]
        stands = [each.position for each in history.events if each.event.uid == about["job"]]
        if heard != [each for each in stands if each <= max(heard, default=0)]:
            yield Breach(0, f"{about['job']} was followed by {heard}, and the log has {stands}")


def _run(about: Body) -> str:
    return f"attempt {about['attempt']} of {about['job']}"
