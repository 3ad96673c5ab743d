"""The cluster that `hack/test cluster` has made and installed the platform into."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import api_client
from devtools.api_client import Api
from devtools.kubectl import Kubectl
from devtools.node import settings
from devtools.tiers import PROVING
from tests.support import onboarded, unguarded
from tests.support.onboarded import Workspace
from tests.support.unguarded import Outside


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """An administrator's kubectl."""
    kubeconfig = os.environ.get("KUBECONFIG")
    assert kubeconfig, "run this tier with hack/test cluster"
    return Kubectl(Path(kubeconfig))


@pytest.fixture(scope="module")
def proving(kubectl: Kubectl, worker_id: str) -> Iterator[Workspace]:
    """The workspace of this process, empty before and after the tests of one module."""
    place = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    with onboarded.cleared(kubectl, PROVING[place]) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def outside(kubectl: Kubectl) -> Iterator[Outside]:
    """A namespace without any guard."""
    with unguarded.outside(kubectl) as namespace:
        yield namespace


@pytest.fixture(scope="module")
def api(kubectl: Kubectl) -> Iterator[Api]:
    """The API, for the person who installed the platform."""
    with api_client.forwarded(kubectl) as way:
        yield way


@pytest.fixture(scope="session")
def on_the_node(kubectl: Kubectl) -> None:
    """Skip unless the node is this machine, so that a test may lay traps on it."""
    nodes = kubectl.json("get", "nodes")["items"]
    if [node["metadata"]["name"] for node in nodes] != [settings.NAME]:
        pytest.skip("the cluster's node is not this machine")
