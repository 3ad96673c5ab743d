"""What a look at a page comes to: whether its content changed, and when to look again. Pure."""

from dataclasses import replace
from enum import StrEnum

from coxswain.api.triggers import Looked, Poll, PollState

LONGEST_WAIT_SECONDS = 3600.0
_DOUBLINGS = 12


class Failure(StrEnum):
    """Why a look gave nothing."""

    INVALID = "Invalid"
    """The spec cannot be read."""
    NOT_ALLOWED = "NotAllowed"
    """The installation does not let polls go to this URL."""
    ADDRESS_NOT_ALLOWED = "AddressNotAllowed"
    """The host has an address that is not public, and the installation does not list the origin."""
    CONNECT = "Connect"
    """No connection."""
    TIMEOUT = "Timeout"
    """It took too long."""
    CUT = "Cut"
    """The connection ended too early, or the answer is no HTTP."""
    STATUS = "Status"
    """Another status than 200. Redirects are not followed."""
    ENCODED = "Encoded"
    """The content is compressed, though that was not asked for."""
    TOO_LARGE = "TooLarge"
    """There is more content than is read."""


def judge(wanted: Poll, before: PollState, found: str | Failure, chance: float) -> Looked:
    """What a look comes to: ``found`` is the digest of the content; ``chance`` is in [0, 1).

    The first look at a URL fires nothing: there is nothing that its content could differ from.
    """
    if isinstance(found, Failure):
        state = replace(before, failures=before.failures + 1, error=found.value)
        return Looked(state, wait_seconds(wanted.interval_seconds, state.failures, chance))
    is_known = before.url == wanted.url and before.digest != ""
    state = PollState(wanted.url, found)
    return Looked(state, float(wanted.interval_seconds), is_known and before.digest != found)


def at_rest(wanted: Poll) -> Looked:
    """Of a Schedule that is suspended: nothing is looked at, and nothing is known afterwards."""
    return Looked(PollState(), float(wanted.interval_seconds))


def wait_seconds(interval: int, failures: int, chance: float) -> float:
    """The interval; after failures twice as long each time, up to an hour, and spread by chance."""
    if failures == 0:
        return float(interval)
    longest = max(LONGEST_WAIT_SECONDS, float(interval))
    grown = min(longest, interval * 2.0 ** min(failures - 1, _DOUBLINGS))
    return max(float(interval), grown * (1.0 - chance / 4))
