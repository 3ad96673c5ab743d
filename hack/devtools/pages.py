"""Pages of the documentation that print a table of the rules as it is."""

from collections.abc import Iterable, Sequence

from coxswain.rules import failures, lifecycle, retry

NOTE = "<!-- Made by hack/generate from operator/coxswain/rules; do not edit. -->\n"


def lifecycle_page() -> str:
    """docs/lifecycle.md: every edge of a Job's life."""
    rows = [(edge.before or "-", edge.after, edge.when) for edge in lifecycle.TABLE]
    return (
        f"{NOTE}# The life of a Job\n\n"
        "There are these edges and no others. Each that was taken stands in `status.transitions` with its\n"
        "time, and in the event log as `job.` and the phase, or `job.retrying` for a Queued after an attempt.\n\n"
        f"{_table(('from', 'to', 'when'), rows)}\n"
        "Nothing leaves Succeeded, Failed or Cancelled. A Job in Review holds no pod and no place in a line.\n"
    )


def errors_page() -> str:
    """docs/errors.md: every reason for which an attempt or a Job fails."""
    rows = [
        (f"`{each.code}`", each.means, _yes(each.transient), _yes(each.uses_attempt))
        for each in failures.TABLE.values()
    ]
    head = ("reason", "meaning", "tried again", "uses an attempt")
    return (
        f"{NOTE}# Why attempts and Jobs fail\n\n"
        "One word, the same in `status.attempts[].reason`, in conditions, in events and in results, beside a\n"
        "message and, where there was one, an exit code. *Tried again* holds while `spec.retry.maxAttempts`\n"
        "allows it. A word of an agent program's own is tried again where its result says `transient`; a result\n"
        "that does not say so is final, whatever the table says.\n\n"
        f"{_table(head, rows)}\n"
        f"What uses no attempt is tried again at once, {retry.LOST_LIMIT - 1} times at most; then the Job fails.\n"
        "The wait before another attempt is drawn between 0 and `retry.backoffSeconds`, doubled for each attempt\n"
        "that was used, `retry.maxBackoffSeconds` at most. It is drawn from the Job's uid and the attempt, so it is\n"
        "the same whoever asks, and `status.retryAt` shows when it is over.\n"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
