"""Fencing tokens only grow: over a Job's attempts, in a Lease's status, and the epoch of whoever leads."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.faults.history import Body, Breach, Change, History

ELECTION = "Lease.coordination.k8s.io"


def breaches(history: History) -> Iterator[Breach]:
    """At each revision of a Job, of a Lease and of the lease of election; of rows at the end."""
    for change in history.changes:
        match change.kind:
            case "Job":
                yield from _of_job(change)
            case "Lease":
                yield from _of_lease(change)
            case kind if kind == ELECTION:
                yield from _of_election(change)
    rows = defaultdict(list)
    for run in sorted(history.runs, key=lambda each: each.key.attempt):
        rows[run.key.job_uid].append(run.token)
    for job, tokens in rows.items():
        if not _grow(tokens):
            yield Breach(0, f"the rows of {job} have tokens {tokens}")


def _of_job(change: Change) -> Iterator[Breach]:
    attempts = _status(change.after).get("attempts", ())
    tokens = [each["token"] for each in attempts if each.get("token")]
    if not _grow(tokens):
        yield Breach(change.revision, f"the attempts of {change.name} have tokens {tokens}")


def _of_lease(change: Change) -> Iterator[Breach]:
    was, has = _status(change.before), _status(change.after)
    before, after = int(was.get("token") or 0), int(has.get("token") or 0)
    if change.after is not None and after < before:
        yield Breach(change.revision, f"{change.name} had token {before} and has {after}")
    holders = was.get("holder"), has.get("holder")
    if all(holders) and holders[0] != holders[1] and after <= before:
        yield Breach(change.revision, f"{change.name} went to another holder with token {after}")


def _of_election(change: Change) -> Iterator[Breach]:
    if change.before is None or change.after is None:
        return
    was, has = change.before["spec"], change.after["spec"]
    before, after = int(was.get("leaseTransitions") or 0), int(has.get("leaseTransitions") or 0)
    changes_hands = has.get("holderIdentity") not in ("", was.get("holderIdentity"))
    if after < before or (changes_hands and after == before):
        yield Breach(change.revision, f"{has.get('holderIdentity')} leads with epoch {after}")


def _status(job: Body | None) -> Body:
    return (job or {}).get("status") or {}


def _grow(tokens: list[int]) -> bool:
    return all(before < after for before, after in pairwise(tokens))
