"""Explores as much as is asked for: called by `hack/faults model`."""

import argparse
import sys
from typing import Any

import structlog

from tests.model import leases
from tests.model.explore import Explorer, Model
from tests.model.jobs import Bounds, JobModel
from tests.model.leases import LeaseModel

STATES = 1_000_000


def main() -> int:
    """Print what was found; 1 where a promise is broken."""
    asked = _asked()
    structlog.configure(processors=[_drop])
    model: Model = LeaseModel(leases.Bounds(faults=asked.faults))
    if asked.kind == "job":
        model = JobModel(Bounds(attempts=asked.attempts, faults=asked.faults, acts=asked.acts))
    found = Explorer(model, asked.states).run()
    print(found.text)
    return 0 if found.problem is None else 1


def _drop(*_: object) -> Any:
    """What failing passes log is not wanted."""
    raise structlog.DropEvent


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hack/faults model", description="Explores what can happen."
    )
    parser.add_argument("kind", nargs="?", choices=("job", "lease"), default="job")
    parser.add_argument("--states", type=int, default=STATES, help=f"at most so many ({STATES})")
    parser.add_argument("--attempts", type=int, default=2, help="of the Job (2)")
    parser.add_argument("--faults", type=int, default=2, help="at most so many in a history (2)")
    parser.add_argument("--acts", action="store_true", help="the agent does what is not repeatable")
    return parser.parse_args()


sys.exit(main())
