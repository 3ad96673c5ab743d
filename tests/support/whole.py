"""The whole platform as its processes: operator, sidecar and all gateways, each with the chart's rights.

They run against one real API server and one real Postgres, which may be behind a switch.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support import chart, leader, verbs
from tests.support.leader import Installation
from tests.support.postgres import Database
from tests.support.verbs import Running

VERBS = ("operator", "sidecar", "models", "egress", "channels")
NOTHING: Mapping[str, Mapping[str, Any]] = {}
# What every account of a pod is a member of; the keys of the cluster are open to these.
GROUPS = ("system:serviceaccounts",)


@contextmanager
def running(
    installation: Installation,
    database: Database,
    folder: Path,
    settings: Mapping[str, Mapping[str, Any]] = NOTHING,
    *,
    only: tuple[str, ...] = VERBS,
) -> Iterator[dict[str, Running]]:
    """Each process by its verb; ``settings`` are more settings of one, by its verb."""
    with ExitStack() as stack:
        started = {}
        for verb in only:
            account = f"system:serviceaccount:{chart.RELEASE_NAMESPACE}:coxswain-{verb}"
            wanted = {
                "kubeconfig": installation.plane.kubeconfig_for(account, GROUPS),
                "installation": leader.INSTALLATION,
                **(OPERATOR if verb == "operator" else {}),
                **settings.get(verb, {}),
            }
            of_it = verbs.running(verb, folder, verbs.dsn(database, verb), **wanted)
            started[verb] = stack.enter_context(of_it)
        yield started


OPERATOR: dict[str, Any] = {
    # It has no port for users.
    "port": None,
    "agent_image": "localhost/agent:test",
    "namespace": leader.HOME,
    "identity": "one",
    "lease_seconds": 3,
    "network_probe": False,
}
