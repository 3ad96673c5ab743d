"""When a caller of the platform tries again: data, and the arithmetic of one wait. Pure.

The clients of people (``coxswain.client``) and the agent program wait by this, and by nothing else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often, how long, and with which waits between."""

    tries: int = 6
    """Calls in all, the first one among them."""
    total_seconds: float = 60.0
    """No wait ends later than this after the first failure."""
    first_seconds: float = 0.25
    """The first wait is drawn between 0 and this; each further ceiling is twice the one before."""
    most_seconds: float = 10.0
    """No ceiling is higher than this."""

    def ceiling_seconds(self, failures: int) -> float:
        """The longest wait after so many failures in a row, 1 or more."""
        return float(min(self.most_seconds, self.first_seconds * 2 ** min(failures - 1, 32)))

    def pause_seconds(self, failures: int, draw: float, told_seconds: float | None = None) -> float:
        """The wait after so many failures: full jitter, and never less than what the other side asked for.

        ``draw`` is a random number from 0 to 1.
        """
        return max(draw * self.ceiling_seconds(failures), told_seconds or 0.0)

    def allows(self, failures: int, spent_seconds: float, pause_seconds: float) -> bool:
        """Whether another try is due after this pause, so long after the first failure."""
        return failures < self.tries and spent_seconds + pause_seconds <= self.total_seconds


ONCE = RetryPolicy(tries=1)
"""One try, and no other."""


def told_seconds(header: str | None) -> float | None:
    """What ``Retry-After`` asks for; None where there is none, or a date: ours are always seconds."""
    if header is None or not header.strip().isdecimal():
        return None
    return float(header.strip())
