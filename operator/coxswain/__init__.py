"""Coxswain: AI agents as ordinary Kubernetes objects.

The floors, from the ground up; imports go downwards only:

    settings errors names    words and configuration
    api                      the kinds and the agent contract, as types
    rules                    pure rules
    sandbox telemetry        manifests; metrics and logs
    kube store               the only two with a way outside: API server, Postgres
    web                      what all HTTP servers of ours share
    identity reconcile       who is calling; the loop
    process sidecar gateway  the processes that run
    cli client               what people run, and what their programs call the API with
"""

__version__ = "0.1.0"
