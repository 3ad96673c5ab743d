"""What an object owes to receivers outside: a Job that has ended, its callback. Pure.

The same object gives the same ids, so that publishing it again adds nothing.
"""

from datetime import datetime

from coxswain.api.deliveries import NewDelivery
from coxswain.reconcile.cache import Raw
from coxswain.rules import callbacks
from coxswain.store import events


def of(kind: str, raw: Raw) -> tuple[NewDelivery, ...]:
    """The deliveries that the object stands for, one at most."""
    callback = callbacks.wanted(raw) if kind == "Job" else None
    if callback is None:
        return ()
    message = callbacks.message(raw)
    end, at = message.data, datetime.fromisoformat(message.timestamp)
    owed = NewDelivery(
        id=events.derived_id(end.id, end.attempts, "callback", at),
        workspace=end.workspace,
        job_uid=end.id,
        job_name=end.name,
        type=message.type,
        url=callback.url,
        host=callbacks.host_of(callback.url),
        body=callbacks.body(message),
        signing_secret=callback.signing.name if callback.signing is not None else None,
    )
    return (owed,)
