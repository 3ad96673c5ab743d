"""What many plans share: an API server that forgets nothing and keeps JSON, and a Postgres.

One plan at a time: the operators of two would see each other's objects.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.etcd import FLAGS, Etcd
from tests.support import apiserver, leader, warm, whole
from tests.support import postgres as databases
from tests.support.leader import HOME, Installation
from tests.support.postgres import Server


@dataclass(frozen=True)
class Bed:
    """A control plane with the chart's roles in it, a server for databases, and what starts processes."""

    installation: Installation
    postgres: Server
    forks: warm.Server

    @property
    def etcd(self) -> Etcd:
        """Where every revision stands."""
        return Etcd(self.installation.plane.etcd_url)

    def account(self, verb: str) -> ssl.SSLContext:
        """That of the process of this verb, for who speaks in its place."""
        plane = self.installation.plane
        user = f"system:serviceaccount:{HOME}:{self.installation.name}-{verb}"
        pair = plane.authority.issue(f"proxy-{verb}", user, whole.GROUPS)
        made = ssl.create_default_context(cafile=str(plane.ca_file))
        made.load_cert_chain(pair.certificate, pair.key)
        return made


@contextmanager
def made(folder: Path) -> Iterator[Bed]:
    """A bed for the length of a block; its state stays in the folder."""
    with (
        apiserver.running(folder / "plane", apiserver_args=FLAGS) as plane,
        databases.running() as postgres,
        warm.running(folder) as forks,
    ):
        yield Bed(leader.install(plane, start=forks.start), postgres, forks)
