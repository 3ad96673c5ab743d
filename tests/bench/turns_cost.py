"""What the line of Jobs costs: to line up, and to give a slot that came free to whoever is next.

Run it alone, it needs nothing: `.venv/bin/python -m tests.bench.turns_cost [JOBS]`. It prints microseconds
per Job, for one crowded workspace and for many owners and workspaces.
"""

import sys
import time
from typing import Any

from coxswain.rules.caps import Caps
from tests.support.lines import Hall, request

SLOTS = 50
TURNS = 1000


def measure(jobs: int, workspaces: int, owners: int) -> tuple[float, float, float]:
    """Microseconds to line up, to look again while waiting, and to hand a slot on."""
    hall = Hall(Caps(installation=SLOTS))
    said: list[dict[str, Any]] = [
        {"workspace": f"w{number % workspaces}", "owner": f"o{number // workspaces % owners}"}
        for number in range(jobs)
    ]
    began = time.perf_counter()
    for number, where in enumerate(said):
        hall.comes(f"j{number}", **where)
    lined_up = time.perf_counter()
    for number in range(jobs - TURNS, jobs):
        hall.turns.ask(request(f"j{number}", number, **said[number]))
    looked = time.perf_counter()
    for _ in range(TURNS):
        hall.ends(next(iter(hall.running)))
    ended = time.perf_counter()
    per_job = ((lined_up - began) / jobs, (looked - lined_up) / TURNS, (ended - looked) / TURNS)
    return per_job[0] * 1e6, per_job[1] * 1e6, per_job[2] * 1e6


def main() -> None:
    """Print a table."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{jobs} Jobs, {SLOTS} slots; microseconds per Job")
    print("workspaces  owners  line up  look again  hand on")
    for workspaces, owners in ((1, 1), (1, 100), (10, 10), (100, 10)):
        lined, looked, handed = measure(jobs, workspaces, owners)
        print(f"{workspaces:10}  {owners:6}  {lined:7.1f}  {looked:10.1f}  {handed:7.1f}")


if __name__ == "__main__":
    main()
