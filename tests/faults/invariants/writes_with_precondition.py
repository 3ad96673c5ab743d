"""Every write names what it is about: uid to delete, resourceVersion to change, a name of its own to make.

A person's word over the API is about an object, whatever has changed of it: uid to change it, too.
"""

from collections.abc import Iterator

from tests.faults.history import Breach, History
from tests.faults.plan import SIDECAR
from tests.faults.proxy.seen import Exchange

# They have no owner's state in them: told to people, and a repeat only counts up.
FREE = ("events", "serviceaccounts/token")


def breaches(history: History) -> Iterator[Breach]:
    """Of each request that changes something."""
    for each in history.exchanges:
        if each.target.is_write and each.target.resource not in FREE and not _is_bound(each):
            yield Breach(each.version or 0, f"{each.target} was sent without a precondition")


def _is_bound(exchange: Exchange) -> bool:
    sent = exchange.sent if isinstance(exchange.sent, dict) else {}
    metadata = sent.get("metadata") or {}
    match exchange.target.verb:
        case "create":
            return bool(metadata.get("name"))
        case "delete":
            return bool((sent.get("preconditions") or {}).get("uid"))
        case _:
            is_word = exchange.replica == SIDECAR and bool(metadata.get("uid"))
            return is_word or bool(metadata.get("resourceVersion"))
