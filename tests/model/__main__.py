"""Explores as much as is asked for: called by `hack/model`."""

import argparse
import sys

from structlog.testing import capture_logs

from tests.model.explore import Explorer, Model
from tests.model.jobs import Bounds, JobModel

STATES = 1_000_000


def main() -> int:
    """Print what was found; 1 where a promise is broken."""
    asked = _asked()
    model: Model = JobModel(Bounds(attempts=asked.attempts, faults=asked.faults, acts=asked.acts))
    with capture_logs() as lines:
        # What failing passes log is not wanted, and must not be kept either.
        lines.append = lambda _: None  # type: ignore[method-assign]
        found = Explorer(model, asked.states).run()
    print(found.text)
    return 0 if found.problem is None else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hack/model", description="Explores what can happen.")
    parser.add_argument("--states", type=int, default=STATES, help=f"at most so many ({STATES})")
    parser.add_argument("--attempts", type=int, default=2, help="of the Job (2)")
    parser.add_argument("--faults", type=int, default=2, help="at most so many in a history (2)")
    parser.add_argument("--acts", action="store_true", help="the agent does what is not repeatable")
    return parser.parse_args()


sys.exit(main())
