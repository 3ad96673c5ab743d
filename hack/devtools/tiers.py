"""The tiers of tests: what each needs, brought up before it and taken down after it.

A tier is a folder of tests/. Only the cluster tier needs more than programs.
"""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from devtools import console, environment, locks, places, programs, provider, release
from devtools.errors import ToolError
from devtools.images import ahead
from devtools.kubectl import Kubectl

NO_TESTS = 5
# Where tests leave what the API server was asked: tests/support/audit.py.
RIGHTS_SEEN = "COXSWAIN_RIGHTS_SEEN"
# What a person waits for gladly. Counted as CPU, which other work on the machine hardly changes.
UNIT_SECONDS = 60.0
# Onboarded for the cluster tier: for each process that runs its tests; and for the example, for strangers, too.
PROVING = ("proving", "proving-1", "proving-2")
WORKSPACES = ("demo", "strangers", *PROVING)


@dataclass(frozen=True)
class Tier:
    """Folders that run together, the Go programs they need, whether they need a cluster.

    A tier whose processes share nothing runs in one per core; `-- -n 0` makes it one. With
    ``core_seconds`` a whole run has failed that used more CPU than this on each core.
    """

    name: str
    folders: tuple[str, ...]
    programs: tuple[str, ...] = ()
    needs_cluster: bool = False
    arguments: tuple[str, ...] = ()
    alone: str = ""
    """The mark of tests that others would disturb: they run after the others, in one process."""
    core_seconds: float | None = None
    tells_rights: bool = False
    """Its API servers tell what they were asked; a whole run is compared with the chart's rights."""
    is_on_demand: bool = False
    """It runs only where it is named."""


@dataclass(frozen=True)
class Ran:
    """What became of a tier: the code of pytest, the time it took, the CPU it used."""

    code: int
    seconds: float
    cpu_seconds: float


SLOWEST = ("--durations", "15", "--durations-min", "5")
PER_CORE = ("--numprocesses", "auto", "--dist", "worksteal")
# Much of what they do is to wait for a server or a program.
PER_WAIT = ("--numprocesses", str(len(os.sched_getaffinity(0)) * 3 // 2), "--dist", "worksteal")
# Each process has an API server of its own, and each file an operator: files stay whole.
PER_FILE = ("--numprocesses", "auto", "--maxprocesses", "4", "--dist", "loadfile")
# Each process has a workspace of its own, and most of its time waits for pods.
PER_WORKSPACE = ("--numprocesses", str(len(PROVING)), "--dist", "loadfile")
# Each process has an API server of its own, and most of a plan is waiting. The longest come first.
PER_PLAN = ("--numprocesses", "8", "--dist", "load", "--maxschedchunk", "1")

ALL = (
    Tier(
        "unit",
        ("tests/architecture", "tests/unit"),
        arguments=PER_CORE,
        core_seconds=UNIT_SECONDS,
    ),
    Tier("store", ("tests/store",), ("versitygw",), arguments=PER_WAIT),
    Tier(
        "apiserver",
        ("tests/apiserver",),
        ("etcd", "kubernetes", "helm"),
        arguments=PER_FILE,
        tells_rights=True,
    ),
    Tier(
        "faults",
        ("tests/faults",),
        ("etcd", "kubernetes", "helm"),
        arguments=PER_PLAN,
        is_on_demand=True,
    ),
    Tier("chaos", ("tests/chaos",), ("helm",), needs_cluster=True, is_on_demand=True),
    Tier(
        "cluster",
        ("tests/cluster",),
        ("helm",),
        needs_cluster=True,
        arguments=PER_WORKSPACE,
        alone="alone",
    ),
)
BY_NAME = {tier.name: tier for tier in ALL}


def run(names: list[str], arguments: list[str]) -> None:
    """Run these tiers, if none is named all that need not be; each runs whatever became of the one before."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise ToolError(f"no tier {', '.join(unknown)}", f"tiers: {', '.join(BY_NAME)}")
    environment.ensure()
    chosen = [BY_NAME[name] for name in names] or [each for each in ALL if not each.is_on_demand]
    results = []
    with ahead.Builder() as images:
        for place, tier in enumerate(chosen):
            if has_room_for_images(chosen, place):
                images.begin()
            elif tier.needs_cluster:
                images.wait()
            results.append(_run_one(tier, arguments))
    for line, _ in results:
        console.say(line)
    if not all(is_good for _, is_good in results):
        raise ToolError("not every tier is well", "hack/test TIER -- -k WORDS runs some of a tier")


def has_room_for_images(chosen: Sequence[Tier], place: int) -> bool:
    """Whether images are built beside this tier: a later one needs them, and its CPU is not counted."""
    is_wanted = any(tier.needs_cluster for tier in chosen[place + 1 :])
    return is_wanted and not chosen[place].needs_cluster and chosen[place].core_seconds is None


def _run_one(tier: Tier, arguments: list[str]) -> tuple[str, bool]:
    if not any(list((places.REPOSITORY / folder).rglob("test_*.py")) for folder in tier.folders):
        return f"  --    {tier.name}: no tests yet", True
    console.say(f"\n== {tier.name}")
    started = time.monotonic()
    for group in tier.programs:
        programs.ensure(group)
    with _cluster(tier) as variables, _seen() as seen:
        used = _cpu_seconds()
        told = {**variables, RIGHTS_SEEN: seen}
        ended = code([_pytest(tier, each, arguments, told) for each in passes(tier)])
        used = _cpu_seconds() - used
        if tells_all_rights(tier, arguments, ended):
            ended = _rights(seen)
    return judge(tier, arguments, Ran(ended, time.monotonic() - started, used), _cores())


def tells_all_rights(tier: Tier, arguments: list[str], code: int) -> bool:
    """Whether a right that was not used is one that nobody uses: not after a part of a tier, or a failure."""
    return tier.tells_rights and not arguments and code == 0


def judge(tier: Tier, arguments: list[str], ran: Ran, cores: int) -> tuple[str, bool]:
    """A line for the person, and whether all is well. A part of a tier may use what it likes."""
    is_good = ran.code == 0 or (ran.code == NO_TESTS and bool(arguments))
    most = None if arguments or tier.core_seconds is None else tier.core_seconds * cores
    is_slow = most is not None and ran.cpu_seconds > most
    line = f"{tier.name} ({ran.seconds:.1f} s, {ran.cpu_seconds:.1f} s of CPU"
    line += f", of which {most:.0f} s are allowed)" if is_slow else ")"
    is_good = is_good and not is_slow
    return f"  {'ok  ' if is_good else 'fail'}  {line}", is_good


def _cpu_seconds() -> float:
    """CPU of all that was started here and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def passes(tier: Tier) -> tuple[tuple[str, ...], ...]:
    """What pytest is told, each time that it is started for the tier."""
    if not tier.alone:
        return (tier.arguments,)
    return ((*tier.arguments, "-m", f"not {tier.alone}"), ("-m", tier.alone))


def code(codes: Sequence[int]) -> int:
    """Of all passes: what went wrong first; NO_TESTS only where none had any."""
    wrong = [each for each in codes if each not in (0, NO_TESTS)]
    return wrong[0] if wrong else min(codes)


def _pytest(
    tier: Tier, words: Sequence[str], arguments: list[str], variables: Mapping[str, str]
) -> int:
    python = str(environment.program("python"))
    done = subprocess.run(
        [python, "-m", "pytest", *tier.folders, *words, *SLOWEST, *arguments],
        cwd=places.REPOSITORY,
        env={**environment.variables(), **variables},
        check=False,
    )
    return done.returncode


@contextmanager
def _seen() -> Iterator[str]:
    """The folder for what API servers were asked: of who wants to look at it, or one that goes again."""
    if named := os.environ.get(RIGHTS_SEEN):
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="coxswain-rights-") as folder:
        yield folder


def _rights(seen: str) -> int:
    """Not zero where a right of the chart was never used."""
    words = [environment.program("python"), places.REPOSITORY / "hack" / "rights", seen]
    done = subprocess.run([str(word) for word in words], env=environment.variables(), check=False)
    return done.returncode


@contextmanager
def _cluster(tier: Tier) -> Iterator[dict[str, str]]:
    """A cluster for the tier; taken down at the end if it was made here."""
    if not tier.needs_cluster:
        yield {}
        return
    # Two runs at once would meet in one installation.
    with locks.held(places.cache() / "cluster-tier.lock", "testing on the cluster"):
        yield from _installed_cluster()


def _installed_cluster() -> Iterator[dict[str, str]]:
    cluster = provider.choose()
    was_there = bool(cluster.status())
    try:
        with console.step(f"{cluster.name} up"):
            cluster.up()
        refs = release.images(cluster)
        release.install(Kubectl(cluster.kubeconfig()), release.values(refs, WORKSPACES))
        yield {"KUBECONFIG": str(cluster.kubeconfig())}
    finally:
        if not was_there:
            cluster.down()
