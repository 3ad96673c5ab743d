"""Who may act on what is there: members on what they made through this API, admins on all.

The maker stands on the object as the annotation ``coxswain.dev/requester``; the chart's admission policy
lets nobody change it, and nobody but this API and the operator set it.
"""

from typing import Any

from coxswain import names
from coxswain.errors import ForbiddenError
from coxswain.identity.callers import UserCaller
from coxswain.identity.users import NOT_PERMITTED, QUEUE

NOT_THE_OWNER = "not_the_owner"


def require(caller: UserCaller, raw: dict[str, Any]) -> None:
    """Raise ForbiddenError not_the_owner or queue_not_permitted unless the caller may act on this object."""
    metadata = raw["metadata"]
    owner = (metadata.get("annotations") or {}).get(names.ANNOTATION_REQUESTER)
    if not caller.acts_on_all and owner != caller.name:
        whose = f"{owner} made it" if owner else "it was not made through this API"
        text = (
            f"{caller.name} may act on their own here, and {whose}; ask an admin, or use kubectl"
            " where Kubernetes gives you the right"
        )
        raise ForbiddenError(text, code=NOT_THE_OWNER)
    require_queue(caller, work(raw.get("spec") or {}))


def require_queue(caller: UserCaller, spec: dict[str, Any]) -> None:
    """Raise ForbiddenError queue_not_permitted unless the caller's key is for the queue of this Job's spec."""
    queue = spec.get("queue") or names.DEFAULT_QUEUE
    if caller.queues is not None and queue not in caller.queues:
        text = f"this key is for the queues {', '.join(sorted(caller.queues))}, not for '{queue}'"
        raise ForbiddenError(text, code=QUEUE, field="spec.queue")


def require_workspace(caller: UserCaller, workspace: str | None, field: str) -> None:
    """Raise ForbiddenError not_permitted unless the route is open to the caller there; None is all of them."""
    if workspace is None and caller.workspaces is None:
        return
    if workspace is None or not caller.covers(workspace):
        where = "all workspaces" if workspace is None else f"workspace '{workspace}'"
        raise ForbiddenError(
            f"{caller.name} may not do that in {where}", code=NOT_PERMITTED, field=field
        )


def work(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec of the Job that this is, or that a Schedule makes."""
    found: dict[str, Any] = (spec.get("jobTemplate") or {}).get("spec") or spec
    return found
