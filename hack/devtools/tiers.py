"""The tiers of tests: what each needs, brought up before it and taken down after it.

A tier is a folder of tests/. Only the cluster tier needs more than programs.
"""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from devtools import console, environment, locks, places, programs, provider, release
from devtools.errors import ToolError
from devtools.kubectl import Kubectl

NO_TESTS = 5
# Onboarded for the cluster tier: for the example, for strangers, for all other tests.
WORKSPACES = ("demo", "strangers", "proving")


@dataclass(frozen=True)
class Tier:
    """Folders that run together, the Go programs they need, whether they need a cluster.

    A tier that shares nothing runs in one process per core; `-- -n 0` makes it one.
    """

    name: str
    folders: tuple[str, ...]
    programs: tuple[str, ...] = ()
    needs_cluster: bool = False
    arguments: tuple[str, ...] = ()


PER_CORE = ("--numprocesses", "auto", "--dist", "worksteal")

ALL = (
    Tier("unit", ("tests/architecture", "tests/unit"), arguments=PER_CORE),
    Tier("store", ("tests/store",), ("versitygw",), arguments=PER_CORE),
    Tier("apiserver", ("tests/apiserver",), ("etcd", "kubernetes", "helm")),
    Tier("cluster", ("tests/cluster",), ("helm",), needs_cluster=True),
)
BY_NAME = {tier.name: tier for tier in ALL}


def run(names: list[str], arguments: list[str]) -> None:
    """Run these tiers, all if none is named; each runs whatever became of the one before."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise ToolError(f"no tier {', '.join(unknown)}", f"tiers: {', '.join(BY_NAME)}")
    environment.ensure()
    results = [_run_one(BY_NAME[name], arguments) for name in names or BY_NAME]
    for line, _ in results:
        console.say(line)
    if not all(is_good for _, is_good in results):
        raise ToolError("some tests failed", "hack/test TIER -- -k WORDS runs some of a tier")


def _run_one(tier: Tier, arguments: list[str]) -> tuple[str, bool]:
    if not any(list((places.REPOSITORY / folder).rglob("test_*.py")) for folder in tier.folders):
        return f"  --    {tier.name}: no tests yet", True
    console.say(f"\n== {tier.name}")
    started = time.monotonic()
    for group in tier.programs:
        programs.ensure(group)
    with _cluster(tier) as variables:
        code = _pytest(tier, arguments, variables)
    seconds = time.monotonic() - started
    is_good = code == 0 or (code == NO_TESTS and bool(arguments))
    return f"  {'ok  ' if is_good else 'fail'}  {tier.name} ({seconds:.1f} s)", is_good


def _pytest(tier: Tier, arguments: list[str], variables: Mapping[str, str]) -> int:
    words = [
        environment.program("python"),
        "-m",
        "pytest",
        *tier.folders,
        *tier.arguments,
        *arguments,
    ]
    done = subprocess.run(
        [str(word) for word in words],
        cwd=places.REPOSITORY,
        env={**environment.variables(), **variables},
        check=False,
    )
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
