"""The named suite m1 against a live cluster: with a receiver that is allowed, and with an empty list."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator

import pytest

from devtools.api_client import Api
from devtools.kubectl import Kubectl
from devtools.suites.m1 import Receivers, Suite
from tests.support import installed
from tests.support.onboarded import Workspace
from tests.support.unguarded import Outside

pytestmark = pytest.mark.alone

PORT = 8000
# Says each request in a line.
RECEIVER = f"""
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {{name.lower(): value for name, value in self.headers.items()}}
        print(json.dumps({{"headers": headers, "body": body}}), flush=True)
        self.send_response(204)
        self.end_headers()
http.server.ThreadingHTTPServer(("0.0.0.0", {PORT}), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def tried(proving: Workspace) -> Workspace:
    """A workspace with an Agent for the suite, and a Secret to sign with."""
    proving.agent("m1")
    key = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    proving.kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "m1-signing", "namespace": proving.name},
            "type": "coxswain.dev/signing",
            "stringData": {"key": key},
        }
    )
    return proving


def _kept(api: Api, workspace: Workspace, receivers: Receivers) -> dict[str, bool]:
    with api.client() as client:
        checks = Suite(client, workspace.name, "m1", receivers).run()
    assert not [each.wire() for each in checks if not each.holds]
    return {each.id: each.holds for each in checks}


def test_with_an_empty_list_nobody_is_told_and_all_else_holds(tried: Workspace, api: Api) -> None:
    kept = _kept(api, tried, Receivers())
    assert sorted(kept) == ["J-01", "J-02", "J-03", "J-05", "J-06", "J-07", "J-08", "J-14", "J-18"]


@pytest.fixture(scope="module")
def receiver(kubectl: Kubectl, outside: Outside) -> Iterator[str]:
    """The URL of a receiver in a pod, which the installation allows."""
    outside.start("receiver", ["python3", "-c", RECEIVER])
    address = outside.ready("receiver")
    name = f"receiver.{outside.name}.svc.cluster.local"
    ports = [{"port": PORT, "protocol": "TCP"}]
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "receiver", "namespace": outside.name},
            "spec": {"clusterIP": "None", "ports": [{"name": "http", "port": PORT}]},
        }
    )
    kubectl.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "receiver",
                "namespace": outside.name,
                "labels": {"kubernetes.io/service-name": "receiver"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address]}],
            "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
        }
    )
    origin = f"http://{name}:{PORT}"
    way = {"to": [{"ipBlock": {"cidr": f"{address}/32"}}], "ports": ports}
    more = {
        "callbacks": {"allowedDomains": [name], "origins": [origin]},
        "network": {"web": {"more": [way]}},
    }
    with installed.changed(kubectl, more):
        yield f"{origin}/end"


def test_an_allowed_receiver_is_told_once_and_signed(
    tried: Workspace, kubectl: Kubectl, outside: Outside, receiver: str, api: Api
) -> None:
    kept = _kept(api, tried, Receivers(receiver, "m1-signing"))
    assert kept["J-13"]
    assert kept["J-14"]
    said = kubectl.run("--namespace", outside.name, "logs", "receiver").splitlines()
    (told,) = [json.loads(line) for line in said if line.startswith("{")]
    assert told["headers"]["webhook-signature"].startswith("v1,")
    assert json.loads(told["body"])["data"]["phase"] == "Succeeded"
