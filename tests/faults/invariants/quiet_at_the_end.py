"""When everything has come to its end, nothing is written any more."""

from collections.abc import Iterator

from tests.faults.history import Breach, History


def breaches(history: History) -> Iterator[Breach]:
    """Of each request after the end."""
    for each in history.exchanges:
        if each.at >= history.quiet_from and each.target.is_write:
            yield Breach(each.version or 0, f"{each.target} at {each.at:.2f} s")
