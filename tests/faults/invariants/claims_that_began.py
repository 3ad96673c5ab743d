"""Whoever began to work is whom the row of its attempt names, with the row's token."""

from collections.abc import Iterator

from tests.faults.history import Breach, History


def breaches(history: History) -> Iterator[Breach]:
    """At the end: of every line of the agents' ledger."""
    rows = {(each.key.job_uid, each.key.attempt): each for each in history.runs}
    for effect in history.effects:
        row = rows.get((effect.job, effect.attempt))
        place = f"attempt {effect.attempt} of {effect.job}"
        if row is None:
            yield Breach(0, f"{place} began and has no row")
        elif (row.pod_uid, row.token) != (effect.pod, effect.token):
            yield Breach(
                0,
                f"{place} began as pod {effect.pod} with token {effect.token}; its row names"
                f" {row.pod_uid} with {row.token}",
            )
