"""TLS inside a real cluster: spoken by everybody, renewed without a restart, switched on while a Job runs."""

import base64
import ssl

import pytest

from devtools import api_client, example, patience, release
from devtools.kubectl import Kubectl
from tests.support import installed
from tests.support.onboarded import HELD, Workspace

pytestmark = pytest.mark.alone

RENEWED_SECONDS = 180.0
MOVED_SECONDS = 180.0
RETRY = {"maxAttempts": 2, "backoffSeconds": 1}
HOME = ("--namespace", release.NAMESPACE)
MODELS = "coxswain-inside-models"
HELLO = (
    "import socket, ssl; c = ssl._create_unverified_context();"
    "s = c.wrap_socket(socket.create_connection(('127.0.0.1', 8081)), server_hostname='x');"
    "print(ssl.DER_cert_to_PEM_cert(s.getpeercert(True)))"
)

PLAIN = (
    "import http.client as h\n"
    "try:\n"
    "    c = h.HTTPConnection('127.0.0.1', 8081, timeout=5); c.request('GET', '/v1/models')\n"
    "    print(c.getresponse().status)\n"
    "except (OSError, h.HTTPException):\n"
    "    print('refused')\n"
)


def test_an_agent_answers_whose_doors_speak_tls_alone(kubectl: Kubectl) -> None:
    place = ("--namespace", example.WORKSPACE)
    kubectl.run(*place, "delete", "--ignore-not-found", "--wait", "--filename", example.FOLDER)
    example.tell(example.run(kubectl))
    words = ["exec", "deployment/coxswain-models", "--", "python3", "-c", PLAIN]
    assert kubectl.run(*HOME, *words).strip() == "refused"


def test_every_session_of_a_process_at_the_bundled_postgres_is_over_tls(kubectl: Kubectl) -> None:
    sql = (
        "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl"
        " JOIN pg_stat_activity USING (pid) WHERE usename LIKE 'coxswain\\_%'"
    )
    words = ["exec", "coxswain-postgres-0", "--", "sh", "-c"]
    password = "PGPASSWORD=$(cat /run/coxswain/passwords/postgres)"
    query = f'{password} psql -h /tmp -U postgres -d coxswain -Atc "{sql}"'
    over, plain = kubectl.run(*HOME, *words, query).strip().split("|")
    assert int(over) > 0
    assert plain == "0"


def test_a_certificate_that_goes_is_made_anew_and_shown_by_the_pod_that_runs(
    kubectl: Kubectl,
) -> None:
    def pods() -> set[str]:
        found = kubectl.json(
            *HOME, "get", "pods", "--selector", "app.kubernetes.io/component=models"
        )
        return {each["metadata"]["uid"] for each in found["items"]}

    def kept() -> str:
        data = kubectl.json(*HOME, "get", "secret", MODELS)["data"]
        return base64.b64decode(data["tls.crt"]).decode()

    def shown() -> str:
        words = ["exec", "deployment/coxswain-models", "--", "python3", "-c", HELLO]
        return kubectl.run(*HOME, *words)

    def pending() -> str:
        return "" if _same(shown(), kept()) else "the new certificate"

    before, standing = pods(), kept()
    kubectl.run(*HOME, "delete", "secret", MODELS)
    job = ["create", "job", "--from=cronjob/coxswain-renewal", "renewal-of-a-test"]
    kubectl.run(*HOME, *job)
    try:
        wait = ["wait", "--for=condition=complete", "--timeout=120s", "job/renewal-of-a-test"]
        kubectl.run(*HOME, *wait)
        assert not _same(kept(), standing)
        patience.until(pending, RENEWED_SECONDS)
        assert pods() == before
    finally:
        kubectl.run(*HOME, "delete", "job", "renewal-of-a-test", "--wait")


def test_a_job_that_runs_while_it_is_switched_on_begins_anew_and_loses_no_attempt(
    kubectl: Kubectl, proving: Workspace
) -> None:
    path = f"/v1/workspaces/{proving.name}/jobs/long/log"
    with installed.changed(kubectl, {"tls": {"internal": "none"}}):
        proving.agent("crew")
        words = ("sh", "-c", f"echo begun; {HELD}; echo done")
        proving.command("long", "crew", *words, retry=RETRY)
        proving.running("long")
        # In the clear its agent reaches the platform, and so does a person.
        with api_client.forwarded(kubectl) as api:
            assert api.url.startswith("http://")
            proving.until(lambda: "" if "begun" in api.get(path).body else "its first line")

    def pending() -> str:
        status = proving.status("long")
        is_second = status["attempts"][-1]["number"] == 2
        return "" if is_second and status["phase"] == "Running" else "the second attempt"

    proving.until(pending, MOVED_SECONDS)
    proving.let_go("long")
    status = proving.ended("long")
    told = [(each["outcome"], each["reason"]) for each in status["attempts"]]
    assert told == [("Lost", "DoorMoved"), ("Succeeded", "Completed")]
    assert status["attemptsUsed"] == 1


def _same(one: str, other: str) -> bool:
    return ssl.PEM_cert_to_DER_cert(one.strip()) == ssl.PEM_cert_to_DER_cert(other.strip())
