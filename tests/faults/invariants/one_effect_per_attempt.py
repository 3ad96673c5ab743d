"""No attempt began to work twice, and none without a row that says so: by the agents' own ledger."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.history import Breach, History


def breaches(history: History) -> Iterator[Breach]:
    """At the end."""
    began = Counter((each.job, each.attempt) for each in history.effects)
    for (job, attempt), times in began.items():
        if times > 1:
            yield Breach(0, f"attempt {attempt} of {job} began {times} times")
