"""What an agent's pod reaches: its doors and nothing else. Each target is first shown to be there."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from devtools import release
from devtools.kubectl import Kubectl
from devtools.node import settings
from tests.support import inside, traps
from tests.support.onboarded import Workspace
from tests.support.unguarded import Outside

pytestmark = pytest.mark.usefixtures("on_the_node")

# The machine's end of every pod's cable.
LINK_LOCAL = "fe80::ecee:eeff:feee:eeee"
LISTENER_PORT = 8000
DOORS = {"the platform door", "the model door", "the web door"}
# Other pods' own walls stand before an unguarded pod too.
ONLY_FROM_THE_NODE = {"another agent's pod", "Postgres", *DOORS}
OPEN = {
    "the node over IPv4",
    "the node over IPv6",
    "the API server's Service",
    "the API server itself",
    "the kubelet",
    "DNS over UDP",
    "DNS over TCP",
    "DNS in its pod",
    "the metadata address",
    "a pod of another namespace",
}


@dataclass(frozen=True)
class Target:
    """Somewhere to go."""

    name: str
    host: str
    port: int
    over: str = "tcp"


@pytest.fixture(scope="module")
def targets(kubectl: Kubectl, proving: Workspace, outside: Outside) -> Iterator[list[Target]]:
    """Everything that an agent must not reach, and its three doors; all of it is up."""
    listen = ["python3", "-m", "http.server", str(LISTENER_PORT)]
    with ExitStack() as stack:
        stack.enter_context(traps.metadata_address())
        four = stack.enter_context(traps.listening(socket.AF_INET, "0.0.0.0"))  # noqa: S104
        six = stack.enter_context(traps.listening(socket.AF_INET6, "::"))
        outside.start("listener", listen)
        proving.agent("listener")
        proving.command("listener", "listener", *listen)
        proving.running("listener")
        dns_pod, dns_port = _endpoint(kubectl, "kube-system", "kube-dns", "dns-tcp")
        database, database_port = _endpoint(
            kubectl, release.NAMESPACE, "coxswain-postgres", "postgres"
        )
        yield [
            Target("the node over IPv4", settings.ADDRESS, four),
            Target("the node over IPv6", f"{LINK_LOCAL}%eth0", six),
            Target("the API server's Service", settings.API_SERVICE, 443),
            Target("the API server itself", settings.ADDRESS, 6443),
            Target("the kubelet", settings.ADDRESS, 10250),
            Target("DNS over UDP", settings.DNS_SERVICE, 53, "udp"),
            Target("DNS over TCP", settings.DNS_SERVICE, 53),
            Target("DNS in its pod", dns_pod, dns_port),
            Target("the metadata address", traps.METADATA, traps.HTTP),
            Target("a pod of another namespace", outside.ready("listener"), LISTENER_PORT),
            Target("another agent's pod", proving.pod_address("listener"), LISTENER_PORT),
            Target("Postgres", database, database_port),
            Target("the platform door", _service(kubectl, "coxswain-api"), 8080),
            Target("the model door", _service(kubectl, "coxswain-models"), 8081),
            Target("the web door", _service(kubectl, "coxswain-egress"), 8082),
        ]


def _endpoint(kubectl: Kubectl, namespace: str, service: str, port: str) -> tuple[str, int]:
    words = ("--namespace", namespace, "get", "endpointslices")
    chosen = ("--selector", f"kubernetes.io/service-name={service}")
    slices = kubectl.json(*words, *chosen)["items"]
    numbers = {each["name"]: each["port"] for each in slices[0]["ports"]}
    return slices[0]["endpoints"][0]["addresses"][0], numbers[port]


def _service(kubectl: Kubectl, name: str) -> str:
    found = kubectl.json("--namespace", release.NAMESPACE, "get", "service", name)
    return str(found["spec"]["clusterIP"])


def _words(targets: list[Target]) -> list[str]:
    asked = [{k: str(v) for k, v in vars(each).items()} for each in targets]
    return ["python3", "-c", inside.source("reach"), json.dumps(asked)]


@pytest.fixture(scope="module")
def reached_from_outside(outside: Outside, targets: list[Target]) -> set[str]:
    outside.start("reach", _words(targets))
    return set(outside.printed("reach"))


@pytest.fixture(scope="module")
def reached_by_an_agent(proving: Workspace, targets: list[Target]) -> set[str]:
    proving.agent("explorer")
    proving.command("reach", "explorer", *_words(targets))
    status = proving.ended("reach")
    assert status["phase"] == "Succeeded", status
    return set(json.loads(status["result"]["answer"]))


def _takes_connections(target: Target) -> bool:
    try:
        socket.create_connection((target.host, target.port), timeout=2).close()
    except OSError:
        return False
    return True


def test_every_target_is_there(reached_from_outside: set[str], targets: list[Target]) -> None:
    walled = [each for each in targets if each.name in ONLY_FROM_THE_NODE]
    from_the_node = {each.name for each in walled if _takes_connections(each)}
    assert reached_from_outside >= OPEN
    assert from_the_node >= ONLY_FROM_THE_NODE


def test_an_agent_reaches_its_three_doors_and_nothing_else(reached_by_an_agent: set[str]) -> None:
    assert reached_by_an_agent == DOORS
