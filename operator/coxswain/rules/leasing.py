"""Who may take a lease, and what is said to those who may not. Pure; the database's clock is in the row."""

from datetime import timedelta

from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import ConflictError, CoxswainError, NotFoundError, UnavailableError

UNKNOWN = "lease_unknown"
UNCONFIRMED = "lease_unconfirmed"
HELD = "lease_held"
QUARANTINED = "lease_quarantined"
AWAITED = "lease_awaited"
NOT_STEALABLE = "lease_not_stealable"
NOT_HELD = "lease_not_held"
EXPIRED = "lease_expired"
TOKEN_UNKNOWN = "lease_token_unknown"  # noqa: S105 - a code, not a secret
LOST = "lease_lost"
LINE_FULL = "lease_line_full"
OF_RUN = "lease_of_run"
SILENT = "HolderSilent"
"""Why a lease is Quarantined whose run was not heard of in time."""
RESTORED = "RecordsRestored"
"""Why one is Quarantined of which the object knew a later holder than the records."""
REFUSALS = frozenset({UNKNOWN, UNCONFIRMED, HELD, QUARANTINED, AWAITED})
"""All that may be said to a Job that wants its leases."""
WAITABLE = frozenset({HELD, QUARANTINED, AWAITED})
"""Refusals that time may lift: with them one may wait in line."""


def is_own(lease: Lease, holder: LeaseHolder) -> bool:
    """Whether this very holder holds it, and its time is not over."""
    standing = lease.holder
    if standing is None or lease.state is not LeaseState.HELD or lease.is_over or lease.is_removed:
        return False
    return (standing.text, standing.job_uid) == (holder.text, holder.job_uid)


def refusal(
    lease: Lease | None, holder: LeaseHolder, *, name: str, steal: bool = False
) -> CoxswainError | None:
    """Why this holder does not get it now; None where it does."""
    if lease is None or lease.is_removed:
        return NotFoundError(f"there is no Lease '{name}'", code=UNKNOWN)
    if not lease.is_confirmed:
        text = f"the records were restored and the operator has not looked at Lease '{name}' yet"
        return UnavailableError(text, code=UNCONFIRMED)
    if lease.state is LeaseState.QUARANTINED:
        return ConflictError(
            f"Lease '{name}' is quarantined ({lease.reason}): it is not known whether"
            f" {_text(lease)} still acts",
            code=QUARANTINED,
        )
    if steal:
        return _theft(lease, holder)
    return _in_the_way(lease, holder)


def _in_the_way(lease: Lease, holder: LeaseHolder) -> ConflictError | None:
    if is_busy(lease):
        return held(lease)
    if lease.declared is not None and holder != LeaseHolder.declared(lease.declared):
        return ConflictError(
            f"Lease '{lease.name}' is kept for declared:{lease.declared} (spec.holder)", code=HELD
        )
    if lease.first_waiter not in (None, holder.text):
        return ConflictError(
            f"{lease.first_waiter} is ahead in the line for Lease '{lease.name}'", code=AWAITED
        )
    return None


def is_busy(lease: Lease) -> bool:
    """Whether somebody has it. A run whose time is over has it until it is known to be gone."""
    if lease.state is not LeaseState.HELD:
        return False
    of_run = lease.holder is not None and lease.holder.job_uid is not None
    return of_run or not lease.is_over


def is_for_declared(lease: Lease) -> bool:
    """Whether its declared holder is to be given it now.

    Where a restore has put that very holder in doubt, nobody else is: it holds without renewal.
    """
    if lease.declared is None or is_busy(lease):
        return False
    if lease.state is not LeaseState.QUARANTINED:
        return True
    return lease.reason == RESTORED and lease.holder == LeaseHolder.declared(lease.declared)


def held(lease: Lease) -> ConflictError:
    """The refusal that names the holder."""
    until = f" until {lease.expires_at.isoformat()}" if lease.expires_at is not None else ""
    return ConflictError(f"Lease '{lease.name}' is held by {_text(lease)}{until}", code=HELD)


def not_held(lease: Lease, holder: LeaseHolder) -> ConflictError:
    """The refusal of a renewal or release by somebody who is not the holder."""
    who = "nobody" if lease.holder is None else _text(lease)
    if lease.is_over and lease.holder is not None and lease.holder.text == holder.text:
        text = f"the time of {holder.text} for Lease '{lease.name}' was over"
        return ConflictError(f"{text} at {lease.expires_at}; acquire it anew", code=EXPIRED)
    return ConflictError(
        f"Lease '{lease.name}' is held by {who}, not by {holder.text}", code=NOT_HELD
    )


def wrong_token(lease: Lease, token: int) -> ConflictError | None:
    """Why a token does not stand for the present holder; None where it does."""
    latest = lease.token
    if token > latest:
        text = f"token {token} of Lease '{lease.name}' was never given out; the latest is {latest}"
        return ConflictError(text, code=TOKEN_UNKNOWN, field="token")
    if token < latest:
        who = f", held by {_text(lease)}" if lease.holder is not None else ""
        text = f"Lease '{lease.name}' is at token {latest} by now{who}; this names token {token}"
        return ConflictError(text, code=LOST, field="token")
    return None


def _theft(lease: Lease, holder: LeaseHolder) -> ConflictError | None:
    """A declared holder is never stolen from; whatever is not busy needs no theft."""
    if not is_busy(lease):
        return _in_the_way(lease, holder)
    after, since = lease.steal_after_seconds, lease.acquired_at
    is_declared = lease.holder is not None and lease.expires_at is None and not lease.with_run
    if after is None or since is None or is_declared:
        text = f"{held(lease).message}, and nobody may steal it (spec.stealAfterSeconds)"
        return ConflictError(text, code=NOT_STEALABLE)
    at = since + timedelta(seconds=after)
    if at <= lease.read_at:
        return None
    text = f"{held(lease).message}; it may be stolen from {at.isoformat()} on"
    return ConflictError(text, code=NOT_STEALABLE)


def _text(lease: Lease) -> str:
    return lease.holder.text if lease.holder is not None else "nobody"
