"""A provider's key on a real cluster: it reaches the provider, and shows up nowhere else."""

import secrets
from collections.abc import Iterator

import pytest

from devtools import release
from devtools.kubectl import Kubectl
from tests.support import database, installed
from tests.support.onboarded import Workspace
from tests.support.unguarded import Outside

pytestmark = pytest.mark.alone

KEY = f"sk-canary-{secrets.token_hex(16)}"
PORT = 8000
# A provider of the worst kind: it refuses every call and repeats the key in its words.
PROVIDER = f"""
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"]
        print("asked with", key, flush=True)
        body = json.dumps({{"error": {{"message": f"no such field for {{key}}"}}}}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("0.0.0.0", {PORT}), Handler).serve_forever()
"""
SHOWN = "pods,events,configmaps,agents.coxswain.dev,jobs.coxswain.dev,leases.coordination.k8s.io"


@pytest.fixture(scope="module")
def refused(kubectl: Kubectl, proving: Workspace, outside: Outside) -> Iterator[dict[str, object]]:
    """The end of a Job whose provider was called with the key."""
    outside.start("provider", ["python3", "-c", PROVIDER])
    address = outside.ready("provider")
    url = f"http://{address}:{PORT}/v1"
    way = {"to": [{"ipBlock": {"cidr": f"{address}/32"}}], "ports": [{"port": PORT}]}
    more = {"models": {"providerBaseURLs": [url]}, "network": {"modelsEgress": [way]}}
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "canary", "namespace": proving.name},
            "type": "coxswain.dev/provider",
            "stringData": {"apiKey": KEY, "baseURLs": url},
        }
    )
    model = {"alias": "main", "provider": "openai", "model": "any", "baseURL": url}
    try:
        with installed.changed(kubectl, more):
            proving.agent("asker", models=[{**model, "credentials": {"name": "canary"}}])
            proving.job("asks", "asker", prompt="Say something.")
            yield proving.ended("asks")
    finally:
        proving.run("delete", "secret", "canary")


def test_the_provider_was_called_with_the_key(
    refused: dict[str, object], kubectl: Kubectl, outside: Outside
) -> None:
    said = kubectl.run("--namespace", outside.name, "logs", "provider")
    assert f"asked with Bearer {KEY}" in said
    attempts = refused["attempts"]
    assert isinstance(attempts, list)
    assert attempts[-1]["reason"] == "PROVIDER_BAD_REQUEST"


@pytest.mark.usefixtures("refused")
def test_no_object_of_the_cluster_shows_it(kubectl: Kubectl) -> None:
    assert KEY not in kubectl.run("get", SHOWN, "--all-namespaces", "--output", "yaml")


@pytest.mark.usefixtures("refused")
def test_no_log_shows_it(kubectl: Kubectl, proving: Workspace) -> None:
    for namespace in (release.NAMESPACE, proving.name):
        for pod in kubectl.json("--namespace", namespace, "get", "pods")["items"]:
            name = pod["metadata"]["name"]
            words = ("logs", name, "--all-containers", "--ignore-errors")
            assert KEY not in kubectl.run("--namespace", namespace, *words), name


@pytest.mark.usefixtures("refused")
def test_no_row_of_the_database_shows_it(kubectl: Kubectl) -> None:
    rows = database.dump(kubectl)
    assert "PROVIDER_BAD_REQUEST" in rows
    assert KEY not in rows
