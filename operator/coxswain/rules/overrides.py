"""Routes by which people set aside what automation does by itself: none without a reason. Pure.

The reason is in the audit log, in the row of the act. Not among them is what asks automation for something:
to cancel, suspend, resume, trigger or make again; there a reason is kept where one is given.
"""

_W = "/v1/workspaces/{workspace}"
_LEASE = f"{_W}/leases/{{name}}"

TABLE: dict[str, str] = {
    f"POST {_W}/jobs/{{name}}/review": "what follows an attempt is decided in place of a rule",
    f"POST {_LEASE}/reclaim": "a lease in doubt is handed on",
    f"POST {_LEASE}/acquire": "with `steal`: a lease is taken from a holder who renews it",
    f"POST {_W}/deliveries/{{delivery}}/redrive": "a callback that was given up is tried again",
    "POST /v1/keys/{key}/revoke": "a key ends before its time",
    "PATCH /v1/flags": "a setting of the installation counts no more",
}
"""What each sets aside."""
ONLY_SOMETIMES = frozenset({f"POST {_LEASE}/acquire"})
"""Those that want a reason only where they do that."""
