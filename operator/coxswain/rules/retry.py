"""Whether and when a failed attempt is followed by another one."""

from coxswain.api.contract import ProviderError
from coxswain.api.job import Retry
from coxswain.rules.outcome import Ended

LOST_LIMIT = 10
"""Attempts that were taken away before the Job fails all the same."""

PERMANENT = frozenset(
    {
        "OutcomeUnknown",
        "Invalid",
        ProviderError.AUTHENTICATION,
        ProviderError.PAYMENT,
        ProviderError.BAD_REQUEST,
        ProviderError.MODEL_NOT_FOUND,
        ProviderError.CONTEXT_LENGTH,
        ProviderError.CONTENT_FILTER,
        ProviderError.CREDENTIALS_MISSING,
        ProviderError.NOT_ALLOWED,
    }
)


def is_due(ended: Ended, retry: Retry, *, used: int, lost: int) -> bool:
    """Whether another attempt follows; ``used`` and ``lost`` count this one already."""
    if ended.outcome == "Lost":
        return lost < LOST_LIMIT
    if ended.outcome != "Failed" or ended.is_final or ended.reason in PERMANENT:
        return False
    return used < retry.max_attempts


def delay_seconds(ended: Ended, retry: Retry, *, used: int) -> int:
    """Wait before the next attempt: doubled each time, bounded; none after a lost pod."""
    if ended.outcome == "Lost":
        return 0
    doubled = retry.backoff_seconds * 2 ** min(used - 1, 20)
    return int(min(retry.max_backoff_seconds, doubled))
