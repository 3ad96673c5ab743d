"""An idempotency key that was asked for over HTTP has made one Job at most; whoever was answered has heard of it."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import Breach, History


def breaches(history: History) -> Iterator[Breach]:
    """Over all revisions, and of each answer."""
    made: dict[str, set[str]] = defaultdict(set)
    for change in history.of_kind("Job"):
        made[change.newest["spec"].get("idempotencyKey", "")].add(change.uid)
    for key in sorted({each.about["key"] for each in history.heard if each.call == "create"}):
        if len(made[key]) > 1:
            yield Breach(0, f"{key} has made {len(made[key])} Jobs")
    for about, answer in history.answered("create"):
        if answer["job"] not in made[about["key"]]:
            yield Breach(
                0, f"{about['key']} was answered with {answer['job']}, which it has not made"
            )
