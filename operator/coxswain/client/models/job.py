# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: job."""

from coxswain.api.meta import Model


class Retry(Model):
    """What happens after an attempt that failed for a reason that time may mend."""

    max_attempts: int = 1
    """Attempts in all, the first included."""
    backoff_seconds: int = 10
    """Longest wait before the second attempt; it doubles for each further one. The wait itself is
    drawn between 0 and that.
    """
    max_backoff_seconds: int = 300
    """Longest wait of all."""
