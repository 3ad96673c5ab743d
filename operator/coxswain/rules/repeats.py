"""What becomes of a request that is sent again, because its answer was lost: one row for each route that changes
something. Pure.

Most routes have one effect by nature: what they ask for names itself. Where they make something that has no name of
the caller's, the header Idempotency-Key names the request. What is left acts anew, or on what stands by then; the
client sends that once.
"""

from enum import StrEnum


class Repeat(StrEnum):
    """What the same request does when it comes again."""

    BY_KEY = "with `Idempotency-Key`: the first answer again"
    """Without the key it is another request."""
    ONCE = "with `Idempotency-Key`: 409, which names what was made"
    """Its answer has a secret, which is shown once."""
    HARMLESS = "nothing more"
    """The answer shows what stands."""
    AS_IT_STANDS = "the same to what stands by then"
    """In between the platform may have come to where it was asked away from."""
    ANEW = "all of it again"


_W = "/v1/workspaces/{workspace}"
_JOB = f"{_W}/jobs/{{name}}"
_SCHEDULE = f"{_W}/schedules/{{name}}"
_LEASE = f"{_W}/leases/{{name}}"

_BY_KEY = (
    f"POST {_W}/jobs",
    f"POST {_JOB}/rerun",
    f"POST {_W}/schedules",
    f"POST {_SCHEDULE}/trigger",
    f"POST {_SCHEDULE}/backfill",
    f"POST {_W}/leases",
    f"POST {_W}/job-types",
)
_HARMLESS = (
    # A pod's requests: by its uid, its own numbers, ids and names.
    "POST /v1/run/claim",
    "POST /v1/run/events",
    "POST /v1/run/heartbeat",
    "POST /v1/run/acts",
    "POST /v1/run/approvals",
    "PUT /v1/run/artifacts/{artifact}",
    "POST /v1/run/result",
    "POST /v1/run/leases/{name}/acquire",
    "POST /v1/run/leases/{name}/renew",
    "POST /v1/run/leases/{name}/release",
    # A sender's deliveries have ids.
    "POST /v1/hooks/{workspace}/{schedule}",
    # What they ask for is a state, a decision or a word, and stands or does not.
    f"POST {_JOB}/cancel",
    f"POST {_JOB}/suspend",
    f"POST {_JOB}/resume",
    f"POST {_JOB}/approve",
    f"POST {_JOB}/deny",
    f"POST {_JOB}/calls/{{hash}}/approve",
    f"POST {_JOB}/calls/{{hash}}/deny",
    f"POST {_SCHEDULE}/suspend",
    # One that steals may take it from yet another holder.
    f"POST {_LEASE}/acquire",
    f"POST {_LEASE}/renew",
    f"POST {_LEASE}/release",
    f"POST {_W}/lease-renewals",
    f"POST {_LEASE}/reclaim",
    f"PATCH {_W}/job-types/{{name}}",
    "POST /v1/events",
    "PATCH /v1/flags",
    "POST /v1/keys/{key}/revoke",
)
_AS_IT_STANDS = (
    # Another attempt may have come to Review, unless the request names the attempt.
    f"POST {_JOB}/review",
    # Another Job may have failed, and paused it.
    f"POST {_SCHEDULE}/resume",
    # Its new round may be over.
    f"POST {_W}/deliveries/{{delivery}}/redrive",
)

TABLE: dict[str, Repeat] = {
    **dict.fromkeys(_BY_KEY, Repeat.BY_KEY),
    **dict.fromkeys(_HARMLESS, Repeat.HARMLESS),
    **dict.fromkeys(_AS_IT_STANDS, Repeat.AS_IT_STANDS),
    "POST /v1/keys": Repeat.ONCE,
    # Each call of a model costs; the agent program keeps the answers that it has.
    "POST /v1/chat/completions": Repeat.ANEW,
}
