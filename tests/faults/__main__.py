"""The verbs of hack/faults: run plans, make plans, do both for all workloads, list them; chaos on a node."""

import argparse
import json
import random
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from devtools import locks, places, provider
from devtools.errors import ToolError
from devtools.kubectl import Kubectl
from devtools.native import Native
from tests.faults import bed, clean, draw, generate, lanes, plan, play, report, workloads
from tests.faults.chaos import storm
from tests.faults.plan import Plan
from tests.faults.report import Line

REFERENCE = "reference"
QUIET_SECONDS = 5.0
MORE = "score and model are verbs, too: hack/faults score --help"
MOST_MINUTES = 240
MOST_RUNS = 9999


def main() -> int:
    """Do what is asked for; 1 where anything did not hold, 2 where it was not understood."""
    asked = _asked()
    # Whoever is told to end takes down what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        done: int = asked.do(asked)
    except (ValueError, OSError, ToolError) as error:
        sys.stderr.write(f"{error}\n{getattr(error, 'hint', '')}".rstrip() + "\n")
        return 2
    return done


def run(asked: argparse.Namespace) -> int:
    """Play the plans in these files and folders."""
    plans = lanes.share(_drawn(asked), asked.share)
    lines = []
    with tempfile.TemporaryDirectory(prefix="cx-faults-") as folder, bed.made(Path(folder)) as made:
        for each in plans:
            verdict = play.play(made, each)
            told = verdict.story() if asked.story or verdict.broken else verdict.line()
            report.say(told)
            lines.append(Line.of(verdict))
    return report.close(lines, asked.json)


def make(asked: argparse.Namespace) -> int:
    """Run workloads without faults, and write the plans that follow from what was seen."""
    wanted = asked.workloads or workloads.names()
    with tempfile.TemporaryDirectory(prefix="cx-faults-") as folder, bed.made(Path(folder)) as made:
        for name in wanted:
            verdict = play.play(
                made, Plan(name=REFERENCE, workload=name, quiet_seconds=QUIET_SECONDS)
            )
            if verdict.broken:
                report.say(verdict.story())
                return 1
            _write(generate.plans(name, *verdict.halves), asked.folder / name)
    return 0


def pick(asked: argparse.Namespace) -> int:
    """Copy so many of these plans into a folder: a sample that is fair over workloads and faults."""
    by_workload: dict[str, list[Plan]] = defaultdict(list)
    for each in _drawn(asked):
        by_workload[each.workload].append(each)
    for name, plans in sorted(by_workload.items()):
        _write(plans, asked.folder / name)
    return 0


def _drawn(asked: argparse.Namespace) -> list[Plan]:
    """The plans that were named, or the sample of them that is asked for."""
    plans = [plan.read(file) for file in _files(asked.plans)]
    return plans if asked.draw is None else draw.some(plans, asked.draw, asked.seed)


def _write(plans: list[Plan], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in plans:
        (folder / f"{each.name}.yaml").write_text(plan.text(each))
    report.say(f"{len(plans)} plans in {folder}")


def every(asked: argparse.Namespace) -> int:
    """Make the plans of all workloads, and play them in several lanes beside each other."""
    asked.folder.mkdir(parents=True, exist_ok=True)
    if make(asked):
        return 1
    sample = [] if asked.draw is None else ["--draw", str(asked.draw), "--seed", str(asked.seed)]
    return lanes.run(asked.folder, asked.lanes, asked.json, sample)


def undisturbed(asked: argparse.Namespace) -> int:
    """Play workloads by turns without any fault, in several lanes: what does not hold is a false alarm."""
    with tempfile.TemporaryDirectory(prefix="cx-clean-") as folder:
        _write(clean.plans(asked.workloads or workloads.names(), asked.runs), Path(folder))
        return lanes.run(Path(folder), asked.lanes, asked.json)


def rage(asked: argparse.Namespace) -> int:
    """Break a running installation on the native node for so many minutes, and check what became of it."""
    cluster = provider.choose()
    if not isinstance(cluster, Native):
        raise ToolError(
            f"chaos needs the native node, and this is the {cluster.name}",
            "hack/up makes one where no container engine answers",
        )
    seed = random.randrange(10**6) if asked.seed is None else asked.seed  # noqa: S311
    report.say(f"seed {seed}")
    with locks.held(places.cache() / "chaos.lock", "chaos on the node"):
        found = storm.run(
            Kubectl(cluster.kubeconfig()), asked.workspace, minutes=asked.minutes, seed=seed
        )
    report.say(found.story())
    if asked.json is not None:
        asked.json.write_text(json.dumps(found.wire(), indent=1))
    return int(bool(found.broken))


def show(_: argparse.Namespace) -> int:
    """Every workload, and what it does."""
    for name in workloads.names():
        report.say(f"{name:24} {workloads.named(name).about}")
    return 0


def _files(given: list[Path]) -> Iterator[Path]:
    for each in given:
        if each.is_dir():
            yield from sorted(each.rglob("*.yaml"))
        else:
            yield each


def _samples(parser: argparse.ArgumentParser, *, is_needed: bool = False) -> None:
    parser.add_argument("--draw", type=int, required=is_needed, help="only so many of them, drawn")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (0)")


def _lanes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lanes", type=int, default=lanes.LANES, help=f"so many at once ({lanes.LANES})"
    )
    parser.add_argument("--json", type=Path, help="file that gets a line of JSON per plan")


def _count(text: str) -> int:
    found = int(text)
    if not 0 < found <= MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MOST_RUNS} runs")
    return found


def _minutes(text: str) -> float:
    found = float(text)
    if not 0 < found <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text} is not from above 0 to {MOST_MINUTES} minutes")
    return found


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hack/faults", description=__doc__, epilog=MORE)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("run", help=run.__doc__)
    one.add_argument("plans", nargs="+", type=Path, metavar="PLAN.yaml")
    one.add_argument("--story", action="store_true", help="tell what happened, however it ended")
    _samples(one)
    one.add_argument("--share", type=lanes.part, help="I/N: only each N-th plan, from the I-th on")
    one.add_argument("--json", type=Path, help="file that gets a line of JSON per plan")
    one.set_defaults(do=run)
    two = verbs.add_parser("plan", help=make.__doc__)
    two.add_argument("workloads", nargs="*", help="all if none")
    two.add_argument("--folder", type=Path, required=True, help="where the plans are written")
    two.set_defaults(do=make)
    three = verbs.add_parser("all", help=every.__doc__)
    three.add_argument("workloads", nargs="*", help="all if none")
    three.add_argument("--folder", type=Path, required=True, help="where the plans are written")
    _lanes(three)
    _samples(three)
    three.set_defaults(do=every)
    seven = verbs.add_parser("clean", help=undisturbed.__doc__)
    seven.add_argument("workloads", nargs="*", help="all if none")
    seven.add_argument("--runs", type=_count, default=200, help="so many in all (200)")
    _lanes(seven)
    seven.set_defaults(do=undisturbed)
    six = verbs.add_parser("draw", help=pick.__doc__)
    six.add_argument("plans", nargs="+", type=Path, metavar="PLAN.yaml")
    six.add_argument("--folder", type=Path, required=True, help="where the plans are written")
    _samples(six, is_needed=True)
    six.set_defaults(do=pick)
    five = verbs.add_parser("chaos", help=rage.__doc__)
    five.add_argument("--minutes", type=_minutes, default=30.0, help="so long (30)")
    five.add_argument("--seed", type=int, help="the same acts in the same order; drawn if none")
    five.add_argument("--workspace", required=True, help="an onboarded namespace, which is emptied")
    five.add_argument("--json", type=Path, help="file that gets what it came to")
    five.set_defaults(do=rage)
    four = verbs.add_parser("list", help=show.__doc__)
    four.set_defaults(do=show)
    return parser.parse_args()


sys.exit(main())
