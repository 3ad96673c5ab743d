"""Pages of the documentation that print a table of the rules as it is."""

from coxswain.rules import failures, lifecycle, overrides, permissions, repeats, retry
from coxswain.rules.permissions import Permission, Scope
from devtools.markdown import table

NOTE = "<!-- Made by hack/generate from operator/coxswain/rules; do not edit. -->\n"


def lifecycle_page() -> str:
    """docs/lifecycle.md: every edge of a Job's life."""
    rows = [(edge.before or "-", edge.after, edge.when) for edge in lifecycle.TABLE]
    return (
        f"{NOTE}# The life of a Job\n\n"
        "There are these edges and no others. Each that was taken stands in `status.transitions` with its\n"
        "time, and in the event log as `job.` and the phase, or `job.retrying` for a Queued after an attempt.\n\n"
        f"{table(('from', 'to', 'when'), rows)}\n"
        "Nothing leaves Succeeded, Failed or Cancelled. A Job in Review holds no pod and no place in a line.\n"
    )


def errors_page() -> str:
    """docs/errors.md: every reason for which an attempt or a Job fails."""
    rows = [
        (f"`{each.code}`", each.means, _yes(each.transient), _yes(each.uses_attempt))
        for each in failures.TABLE.values()
    ]
    head = ("reason", "meaning", "tried again", "uses an attempt")
    return (
        f"{NOTE}# Why attempts and Jobs fail\n\n"
        "One word, the same in `status.attempts[].reason`, in conditions, in events and in results, beside a\n"
        "message and, where there was one, an exit code. *Tried again* holds while `spec.retry.maxAttempts`\n"
        "allows it. A word of an agent program's own is tried again where its result says `transient`; a result\n"
        "that does not say so is final, whatever the table says.\n\n"
        f"{table(head, rows)}\n"
        f"What uses no attempt is tried again at once, {retry.LOST_LIMIT - 1} times at most; then the Job fails.\n"
        "The wait before another attempt is drawn between 0 and `retry.backoffSeconds`, doubled for each attempt\n"
        "that was used, `retry.maxBackoffSeconds` at most. It is drawn from the Job's uid and the attempt, so it is\n"
        "the same whoever asks, and `status.retryAt` shows when it is over.\n"
    )


def permissions_page() -> str:
    """docs/permissions.md: every route, and who may call it."""
    rows = [
        (f"`{route}`", each.who, *_asked(each), repeats.TABLE.get(route, ""))
        for route, each in permissions.TABLE.items()
    ]
    asked = ("role", "where", "in Kubernetes' words", "key for some queues")
    head = ("route", "for", *asked, "the same again does")
    return (
        f"{NOTE}# Who may call which route\n\n"
        "The servers, their OpenAPI documents and this page are made from one table; a route that is not in it\n"
        "is not served. [Access](access.md) says who people and machines are and how they get a role. Each role\n"
        "includes the one before: Read, Member, Admin. *In Kubernetes' words* is what the API server is asked where\n"
        "Kubernetes' rights decide: a verb and a resource, in the workspace of the path, or in all. A key for some\n"
        "queues reads, and changes only what has a queue. *The same again*: [what a repeat does](api.md).\n\n"
        f"{table(head, rows)}\n"
        "Who agrees to a Job or a call, and who denies it, has to stand among its approvers, whatever their role. Who\n"
        "takes, renews or lets go of a lease does so with its token. Beside these, `/v1/openapi.json`, `/docs` and\n"
        "the sidecar's `/v1/asyncapi.json` are for everybody whose token is good, and the health port is for all who\n"
        "reach it.\n\n"
        "## With a reason\n\n"
        "Who sets aside what automation does by itself says why: without `reason` 422, which names it. It is in the\n"
        "[audit log](audit.md), with the act. Elsewhere a reason is kept where one is given.\n\n"
        f"{table(('route', 'sets aside'), [(f'`{each}`', what) for each, what in overrides.TABLE.items()])}"
    )


def _asked(permission: Permission) -> tuple[str, str, str, str]:
    if not permission.is_for_users:
        return "", "", "", ""
    where = "" if permission.scope is Scope.WORKSPACE else permission.scope.value
    queues = _yes(permission.is_for_some_queues)
    return permission.need.value, where, f"`{permission.right}`", queues


def _yes(value: bool) -> str:
    return "yes" if value else "no"
