"""TLS inside a real cluster: switched on under way, spoken by everybody, renewed without a restart."""

import base64
import ssl
from collections.abc import Iterator

import pytest

from devtools import example, patience, release
from devtools.kubectl import Kubectl
from tests.support import installed

pytestmark = pytest.mark.alone

RENEWED_SECONDS = 180.0
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


@pytest.fixture(scope="module")
def inside(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The installation with TLS inside, for the tests of this module."""
    with installed.changed(kubectl, {"tls": {"internal": "own"}}):
        yield kubectl


def test_an_agent_answers_whose_doors_speak_tls_alone(inside: Kubectl) -> None:
    place = ("--namespace", example.WORKSPACE)
    inside.run(*place, "delete", "--ignore-not-found", "--wait", "--filename", example.FOLDER)
    example.tell(example.run(inside))
    words = ["exec", "deployment/coxswain-models", "--", "python3", "-c", PLAIN]
    assert inside.run(*HOME, *words).strip() == "refused"


def test_every_session_of_a_process_at_the_bundled_postgres_is_over_tls(inside: Kubectl) -> None:
    sql = (
        "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl"
        " JOIN pg_stat_activity USING (pid) WHERE usename LIKE 'coxswain\\_%'"
    )
    words = ["exec", "coxswain-postgres-0", "--", "sh", "-c"]
    password = "PGPASSWORD=$(cat /run/coxswain/passwords/postgres)"
    query = f'{password} psql -h /tmp -U postgres -d coxswain -Atc "{sql}"'
    over, plain = inside.run(*HOME, *words, query).strip().split("|")
    assert int(over) > 0
    assert plain == "0"


def test_a_certificate_that_goes_is_made_anew_and_shown_by_the_pod_that_runs(
    inside: Kubectl,
) -> None:
    def pods() -> set[str]:
        found = inside.json(
            *HOME, "get", "pods", "--selector", "app.kubernetes.io/component=models"
        )
        return {each["metadata"]["uid"] for each in found["items"]}

    def kept() -> str:
        data = inside.json(*HOME, "get", "secret", MODELS)["data"]
        return base64.b64decode(data["tls.crt"]).decode()

    def shown() -> str:
        words = ["exec", "deployment/coxswain-models", "--", "python3", "-c", HELLO]
        return inside.run(*HOME, *words)

    def pending() -> str:
        return "" if _same(shown(), kept()) else "the new certificate"

    before, standing = pods(), kept()
    inside.run(*HOME, "delete", "secret", MODELS)
    job = ["create", "job", "--from=cronjob/coxswain-renewal", "renewal-of-a-test"]
    inside.run(*HOME, *job)
    try:
        wait = ["wait", "--for=condition=complete", "--timeout=120s", "job/renewal-of-a-test"]
        inside.run(*HOME, *wait)
        assert not _same(kept(), standing)
        patience.until(pending, RENEWED_SECONDS)
        assert pods() == before
    finally:
        inside.run(*HOME, "delete", "job", "renewal-of-a-test", "--wait")


def _same(one: str, other: str) -> bool:
    return ssl.PEM_cert_to_DER_cert(one.strip()) == ssl.PEM_cert_to_DER_cert(other.strip())
