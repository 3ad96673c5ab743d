"""The lock files: fresh, hashed, without addresses, and the images' versions are the root's."""

import json
import re
from pathlib import Path

import pytest

from devtools import lockfiles

PATHS = [lock.path for lock in lockfiles.all_locks()]
PEERS = lockfiles.PROJECT.parent / "tests" / "bench" / "peers"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", re.M)


def _pins(path: Path) -> set[tuple[str, str]]:
    return set(PIN.findall(path.read_text()))


def test_every_lock_is_of_todays_requirements() -> None:
    assert lockfiles.stale() == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name)
def test_every_package_of_a_lock_has_a_hash(path: Path) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", path.read_text())
    pinned = [entry for entry in entries if PIN.match(entry)]
    assert pinned
    assert [entry for entry in pinned if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name)
def test_no_lock_holds_an_address(path: Path) -> None:
    assert "://" not in path.read_text()


@pytest.mark.parametrize("path", PATHS[1:], ids=lambda path: path.parent.name)
def test_an_image_runs_the_versions_that_were_tested(path: Path) -> None:
    assert _pins(path) <= _pins(lockfiles.ROOT_LOCK)


def test_the_agent_image_carries_no_client_of_the_cluster_or_the_database() -> None:
    names = {name for name, _ in _pins(PATHS[2])}
    assert not names & {"kubernetes", "kopf", "asyncpg", "alembic"}


def test_the_lock_of_the_peers_has_a_hash_for_each_package_and_no_address_of_it() -> None:
    packages = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    wanted = json.loads((PEERS / "package.json").read_text())["dependencies"]
    own = packages.pop("")
    assert own["dependencies"] == wanted
    assert packages
    assert [name for name, each in packages.items() if "integrity" not in each] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []
