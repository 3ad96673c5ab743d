"""The charts on a real node: installed, gone, installed again; nothing of the user's is lost."""

import pytest

from coxswain import names
from devtools import example, patience, release
from devtools.kubectl import Kubectl
from tests.support import installed

pytestmark = pytest.mark.alone

READY_SECONDS = 60.0


def _uid(kubectl: Kubectl, kind: str, name: str, namespace: str) -> str:
    found: str = kubectl.json("--namespace", namespace, "get", kind, name)["metadata"]["uid"]
    return found


def _kept(kubectl: Kubectl) -> dict[str, str]:
    """The uid of everything that an uninstall must leave."""
    home, workspace = release.NAMESPACE, example.WORKSPACE
    wanted = [
        ("crd", "agents.coxswain.dev", home),
        ("crd", "jobs.coxswain.dev", home),
        ("secret", "coxswain-database", home),
        ("secret", "coxswain-local-token", home),
        ("secret", "coxswain-inside-authority", home),
        ("pvc", "data-coxswain-postgres-0", home),
        ("networkpolicy", names.NETWORK_POLICY, workspace),
        ("resourcequota", names.POD_QUOTA, workspace),
        ("resourcequota", names.STORAGE_QUOTA, workspace),
        ("agents.coxswain.dev", "reader", workspace),
        ("jobs.coxswain.dev", "first-answer", workspace),
    ]
    return {f"{kind}/{name}": _uid(kubectl, kind, name, space) for kind, name, space in wanted}


def test_a_repeated_installation_changes_no_pod(kubectl: Kubectl) -> None:
    def pods() -> set[str]:
        """Those that stay: not of a hook, nor on their way out since what was installed before."""
        found = kubectl.json("--namespace", release.NAMESPACE, "get", "pods")["items"]
        heads = [pod["metadata"] for pod in found]
        return {
            head["uid"]
            for head in heads
            if head["ownerReferences"][0]["kind"] != "Job" and "deletionTimestamp" not in head
        }

    before = pods()
    release.install(kubectl, installed.values())
    assert pods() == before


def test_every_pod_of_the_platform_runs_under_pod_security_restricted(kubectl: Kubectl) -> None:
    namespace = kubectl.json("get", "namespace", release.NAMESPACE)
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert release.waiting(kubectl) == []


@pytest.fixture
def example_has_run(kubectl: Kubectl) -> str:
    return example.tell(example.run(kubectl))


@pytest.mark.usefixtures("example_has_run")
def test_uninstall_leaves_kinds_and_data_and_a_new_installation_goes_on_with_them(
    kubectl: Kubectl,
) -> None:
    before = _kept(kubectl)
    release.uninstall(kubectl)
    try:
        assert not kubectl.json("--namespace", release.NAMESPACE, "get", "deployments")["items"]
        assert _kept(kubectl) == before
    finally:
        release.install(kubectl, installed.values())
    assert _kept(kubectl) == before
    patience.until(lambda: _not_recorded(kubectl), READY_SECONDS)


def test_a_change_of_values_is_rolled_back(kubectl: Kubectl) -> None:
    def level() -> str:
        words = ["get", "deployment", "coxswain-models", "--output"]
        path = "jsonpath={..env[?(@.name=='COXSWAIN_LOG_LEVEL')].value}"
        return kubectl.run("--namespace", release.NAMESPACE, *words, path)

    release.install(kubectl, {**installed.values(), "log": {"level": "debug"}})
    assert level() == "debug"
    release.roll_back(kubectl)
    assert level() == "info"


def _not_recorded(kubectl: Kubectl) -> str:
    """The old Job is in the old database: the volume came back with its rows."""
    sql = "SELECT count(*) FROM events WHERE type = 'job.succeeded' AND name = 'first-answer'"
    words = ["exec", "coxswain-postgres-0", "--", "sh", "-c"]
    password = "PGPASSWORD=$(cat /run/coxswain/passwords/owner)"
    query = f'{password} psql -h /tmp -U coxswain -d coxswain -Atc "{sql}"'
    counted = kubectl.run("--namespace", release.NAMESPACE, *words, query).strip()
    return "" if counted != "0" else "the event of the first Job"
