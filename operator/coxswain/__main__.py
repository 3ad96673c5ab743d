"""``coxswain VERB``: the one entry of all our processes. Imports only what the verb needs."""

import sys
from importlib import import_module

from coxswain.errors import ConfigurationError
from coxswain.telemetry import crashes

VERBS = {
    "operator": "coxswain.process.replica",
    "sidecar": "coxswain.sidecar.process",
    "models": "coxswain.gateway.models.process",
    "egress": "coxswain.gateway.egress.process",
    "channels": "coxswain.gateway.channels.process",
    "migrate": "coxswain.store.migrate",
}


def main() -> int:
    """Run the named process; 2 is a wrong call, 78 a refused configuration."""
    if len(sys.argv) != 2 or sys.argv[1] not in VERBS:
        sys.stderr.write(f"usage: coxswain {'|'.join(VERBS)}\n")
        return 2
    crashes.watch_faults()
    try:
        code: int = import_module(VERBS[sys.argv[1]]).main()
    except ConfigurationError as error:
        sys.stderr.write(f"coxswain {sys.argv[1]}: {error.message}\n")
        return 78
    return code


if __name__ == "__main__":
    sys.exit(main())
