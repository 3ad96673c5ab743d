"""Writes the audit log of the API: every act of a caller, and every denial.

AROUND: the row before the act is committed before anything is done, or with the first transaction that
does something, so no change is without one. A process that is killed in between leaves a row without its
end: whether it was done, the object says. WITH: one row in the transaction of the change: both are there,
or neither. What is refused before anything is done has one row, and is counted where it comes too often.
What cannot be written after an act does not undo it: it is in the process's log, and counted.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from coxswain.api.audit import AuditEntry, Object, Outcome
from coxswain.errors import CoxswainError, ForbiddenError, UnauthenticatedError
from coxswain.sidecar import audit_entries
from coxswain.store import audit, audited, uuid7
from coxswain.store.audited import Along
from coxswain.store.pool import Store
from coxswain.telemetry import logs, metrics
from coxswain.web import problems
from coxswain.web.auditing import Act, Kept, Refusal
from coxswain.web.denial_sums import Denials

log = logs.get(__name__)
T = TypeVar("T")


class ApiRecorder:
    """One per process; see ``coxswain.web.auditing.Recorder``. ``denials`` has a task to run."""

    def __init__(self, store: Store, onboarded: Collection[str] = ()) -> None:
        """``onboarded`` are the workspaces in whose part of the log a denial may stand."""
        self._store = store
        self._onboarded = onboarded
        self.denials = Denials(self._late)

    async def keep(self, act: Act, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work and record what came of it. Raises what the work raises."""
        first = Outcome.DONE if act.kept is Kept.WITH else Outcome.BEGUN
        row = Along(audit_entries.of(act, first))
        try:
            with audited.along(row):
                answer = await work()
        except CoxswainError as error:
            await self._failed(row, error)
            raise
        if not row.is_kept:
            await self._late(replace(row.entry, outcome=Outcome.DONE))
        elif first is Outcome.BEGUN:
            found = audit_entries.made(answer, row.entry.object)
            await self._late(_ended(row.entry, Outcome.DONE, {}, found))
        return answer

    async def denied(self, refusal: Refusal) -> None:
        """Record that somebody was refused; of one who is refused all the time, in sums."""
        await self.denials.take(audit_entries.denial(refusal, self._onboarded))

    async def _failed(self, row: Along, error: CoxswainError) -> None:
        """Say how it ended; of what was refused before anything was done, within bounds."""
        entry, outcome = row.entry, _outcome(error)
        if not row.is_kept:
            details = {**entry.details, **_why(error)}
            failed = replace(entry, id=_new(), outcome=outcome, details=details)
            await self.denials.take(failed)
        elif entry.outcome is Outcome.BEGUN:
            await self._late(_ended(entry, outcome, _why(error)))

    async def _late(self, entry: AuditEntry) -> None:
        """Write what is told after the fact."""
        try:
            await self._store.run(audit.write, entry)
        except CoxswainError as error:
            metrics.AUDIT_LOST.inc()
            log.warning(
                "a row of the audit log is lost",
                action=entry.action,
                outcome=entry.outcome.value,
                code=error.code,
            )


def _ended(
    begun: AuditEntry,
    outcome: Outcome,
    details: dict[str, str | int | bool | None],
    found: Object | None = None,
) -> AuditEntry:
    """The row that says how an act ended. What was asked for stands in the row that it names."""
    return AuditEntry(
        id=_new(),
        action=begun.action,
        outcome=outcome,
        actor=begun.actor,
        workspace=begun.workspace,
        object=found or begun.object,
        begun_by=begun.id,
        request_id=begun.request_id,
        details=details,
    )


def _outcome(error: CoxswainError) -> Outcome:
    is_denial = isinstance(error, ForbiddenError | UnauthenticatedError)
    return Outcome.DENIED if is_denial else Outcome.FAILED


def _why(error: CoxswainError) -> dict[str, str | int | bool | None]:
    return {"code": error.code, "status": problems.status_of(error)}


def _new() -> audit_entries.UUID:
    return uuid7.new(datetime.now(UTC))
