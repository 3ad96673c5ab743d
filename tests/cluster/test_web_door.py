"""Agents and the web on a real node: a listed host is reached through the door, nothing else is.

The host is a server of the test's own at an address of the machine that counts as public; the
cluster's DNS knows it by a headless Service.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from devtools import patience
from devtools.api_client import Api
from devtools.kubectl import Kubectl
from tests.support import inside, public_place
from tests.support.onboarded import Workspace
from tests.support.public_place import Place
from tests.support.unguarded import Outside

pytestmark = pytest.mark.usefixtures("on_the_node")

PRIVATE = "kubernetes.default.svc.cluster.local"
DNS_SECONDS = 60.0


@dataclass(frozen=True)
class Web:
    """The place, and the names that lead to it."""

    place: Place
    listed: str
    unlisted: str

    def words(self, *urls: str) -> list[str]:
        """A program that asks for these."""
        return ["python3", "-c", inside.source("fetch"), self.place.trusted, *urls]


@pytest.fixture(scope="module")
def web(
    kubectl: Kubectl, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The server, known to the cluster's DNS by two names."""
    names = [f"{name}.{outside.name}.svc.cluster.local" for name in ("listed", "unlisted")]
    folder = tmp_path_factory.mktemp("place")
    with public_place.serving(folder, *names) as place:
        for name in ("listed", "unlisted"):
            for each in _named(outside.name, name):
                kubectl.apply(each)
        yield Web(place, *names)


def _named(namespace: str, name: str) -> list[dict[str, Any]]:
    metadata = {"name": name, "namespace": namespace}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": "None", "ports": [{"name": "https", "port": public_place.PORT}]},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [public_place.ADDRESS]}],
        "ports": [{"name": "https", "port": public_place.PORT, "protocol": "TCP"}],
    }
    return [service, endpoints]


@pytest.fixture(scope="module")
def unguarded(outside: Outside, web: Web) -> list[str]:
    """What a pod without a guard hears of the place, once the cluster's DNS knows its names."""
    attempts, said = itertools.count(), list[str]()

    def pending() -> str:
        name = f"fetch-{next(attempts)}"
        outside.start(name, web.words(f"https://{web.listed}/", f"https://{web.unlisted}/"))
        said[:] = outside.printed(name)
        return "" if said == ["reached", "reached"] else f"the names in DNS: {said}"

    patience.until(pending, DNS_SECONDS)
    return said


@pytest.fixture(scope="module")
def told(proving: Workspace, web: Web, unguarded: list[str]) -> list[str]:
    """What an agent hears of four places, of which its Agent lists two."""
    hosts = [{"host": web.listed}, {"host": PRIVATE}]
    proving.agent("surfer", sandbox={"egress": {"hosts": hosts}})
    urls = [
        f"https://{web.listed}/",
        f"https://{web.unlisted}/",
        f"https://{PRIVATE}/",
        f"https://{public_place.ADDRESS}/",
    ]
    proving.command("surf", "surfer", *web.words(*urls))
    status = proving.ended("surf")
    assert status["phase"] == "Succeeded", status
    found: list[str] = json.loads(status["result"]["answer"])
    return found


def test_the_place_is_there_for_a_pod_without_a_guard(unguarded: list[str]) -> None:
    assert unguarded == ["reached", "reached"]


def test_an_agent_reaches_the_host_that_its_agent_lists(told: list[str]) -> None:
    assert told[0] == "reached"


def test_an_agent_is_told_why_it_reaches_no_other(told: list[str]) -> None:
    unlisted, private, address = told[1:]
    for said in (unlisted, address):
        assert "403" in said
        assert "is not in the Agent's spec.sandbox.egress.hosts" in said
    assert "has an address that is not public" in private


def test_an_agent_that_lists_nothing_reaches_nothing(proving: Workspace, web: Web) -> None:
    proving.agent("homebody")
    proving.command("stay", "homebody", *web.words(f"https://{web.listed}/"))
    status = proving.ended("stay")
    (said,) = json.loads(status["result"]["answer"])
    assert "is not in the Agent's spec.sandbox.egress.hosts" in said


def test_the_log_tells_who_reached_what_and_what_was_refused(
    api: Api, proving: Workspace, web: Web, told: list[str]
) -> None:
    uid = proving.get("jobs.coxswain.dev", "surf")["metadata"]["uid"]
    seen = _egress_events(api, uid)
    opened = [each["details"] for each in seen if each["type"] == "run.egress.opened"]
    closed = [each["details"] for each in seen if each["type"] == "run.egress.closed"]
    refused = [each["details"] for each in seen if each["type"] == "run.egress.refused"]
    assert [(each["host"], each["port"]) for each in opened] == [(web.listed, 443)]
    assert opened[0]["address"] == public_place.ADDRESS
    assert min(closed[0]["received"], closed[0]["sent"]) > 1000
    assert sorted((each["host"], each["code"]) for each in refused) == sorted(
        [
            (web.unlisted, "host_not_listed"),
            (PRIVATE, "address_refused"),
            (public_place.ADDRESS, "host_not_listed"),
        ]
    )


def _egress_events(api: Api, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def pending() -> str:
        found[:] = api.events(job=job, type="run.egress.")
        return "" if len(found) >= 5 else f"five events of the web door, of which there are {found}"

    patience.until(pending, DNS_SECONDS)
    return found
