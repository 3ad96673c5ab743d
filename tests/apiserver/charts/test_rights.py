"""What each account of the platform may do, asked of a real API server with the chart's roles."""

from typing import Any

import pytest
import yaml

from devtools.controlplane import ControlPlane
from devtools.kubectl import Kubectl
from tests.support import chart

ROLES = ("ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
HOME = chart.RELEASE_NAMESPACE


@pytest.fixture(scope="module")
def kubectl(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    client = Kubectl(plane.kubeconfig)
    for name in (HOME, "demo", "other", "elsewhere"):
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    objects = [each for each in chart.render(chart.WORKSPACES) if each["kind"] in ROLES]
    file = tmp_path_factory.mktemp("rights") / "roles.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    client.run("apply", "--server-side", "--filename", file)
    return client


def _may(kubectl: Kubectl, account: str, verb: str, what: str, namespace: str) -> bool:
    """Ask the API server; `what` is resource.group/name."""
    resource, _, name = what.partition("/")
    resource, _, subresource = resource.partition(":")
    plural, _, group = resource.partition(".")
    attributes: dict[str, Any] = {"verb": verb, "resource": plural, "group": group}
    attributes |= {"name": name, "subresource": subresource, "namespace": namespace}
    home, _, user = account.rpartition("/")
    answer = kubectl.run(
        "create",
        "--filename",
        "-",
        "--output",
        "jsonpath={.status.allowed}",
        stdin=yaml.safe_dump(
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {
                    "user": f"system:serviceaccount:{home or HOME}:{user}",
                    "resourceAttributes": attributes,
                },
            }
        ),
    )
    return answer == "true"


ALLOWED = [
    ("coxswain-operator", "watch", "jobs.coxswain.dev", ""),
    ("coxswain-operator", "watch", "leases.coxswain.dev", ""),
    ("coxswain-operator", "watch", "pods", ""),
    ("coxswain-operator", "list", "resourcequotas", ""),
    (
        "coxswain-operator",
        "get",
        "customresourcedefinitions.apiextensions.k8s.io/jobs.coxswain.dev",
        "",
    ),
    ("coxswain-operator", "patch", "jobs.coxswain.dev:status", "demo"),
    ("coxswain-operator", "patch", "leases.coxswain.dev:status", "demo"),
    ("coxswain-operator", "create", "pods", "demo"),
    ("coxswain-operator", "create", "jobs.coxswain.dev", "demo"),
    ("coxswain-operator", "watch", "schedules.coxswain.dev", ""),
    ("coxswain-operator", "patch", "schedules.coxswain.dev:status", "demo"),
    ("coxswain-operator", "delete", "pods", "other"),
    ("coxswain-operator", "get", "networkpolicies.networking.k8s.io/coxswain-agents", "demo"),
    ("coxswain-operator", "update", "leases.coordination.k8s.io/coxswain-operator", HOME),
    ("coxswain-operator", "create", "serviceaccounts:token/coxswain-sidecar", HOME),
    ("coxswain-operator", "get", "configmaps/coxswain-type-x", "demo"),
    ("coxswain-sidecar", "create", "jobs.coxswain.dev", "demo"),
    ("coxswain-sidecar", "patch", "schedules.coxswain.dev/x", "demo"),
    ("coxswain-sidecar", "create", "leases.coxswain.dev", "demo"),
    ("coxswain-sidecar", "list", "configmaps", "demo"),
    ("coxswain-sidecar", "patch", "configmaps/coxswain-type-x", "demo"),
    ("coxswain-models", "get", "secrets/key", "demo"),
    # To sign callbacks, and only where an installation allows some.
    ("coxswain-egress", "get", "secrets/key", "demo"),
    # To verify webhooks, and only where the channel gateway is switched on.
    ("coxswain-channels", "get", "secrets/key", "demo"),
    ("coxswain-secrets", "create", "secrets", HOME),
]
REFUSED = [
    # Nobody reads Secrets but the gateways, and they by name only.
    ("coxswain-operator", "get", "secrets/key", "demo"),
    ("coxswain-operator", "get", "secrets/coxswain-database", HOME),
    ("coxswain-sidecar", "get", "secrets/key", "demo"),
    ("coxswain-models", "list", "secrets", "demo"),
    ("coxswain-models", "get", "secrets/coxswain-database", HOME),
    ("coxswain-egress", "list", "secrets", "demo"),
    ("coxswain-egress", "get", "secrets/key", "elsewhere"),
    ("coxswain-egress", "get", "secrets/coxswain-database", HOME),
    ("coxswain-egress", "list", "pods", "demo"),
    ("coxswain-egress", "get", "agents.coxswain.dev/x", "demo"),
    ("coxswain-channels", "list", "secrets", "demo"),
    ("coxswain-channels", "get", "secrets/key", "elsewhere"),
    ("coxswain-channels", "get", "secrets/coxswain-database", HOME),
    ("coxswain-channels", "get", "schedules.coxswain.dev/x", "demo"),
    ("coxswain-channels", "create", "jobs.coxswain.dev", "demo"),
    ("coxswain-secrets", "get", "secrets/coxswain-database", HOME),
    ("coxswain-secrets", "update", "secrets/coxswain-database", HOME),
    # Writes are for workspaces only.
    ("coxswain-operator", "create", "pods", "elsewhere"),
    ("coxswain-operator", "create", "jobs.coxswain.dev", "elsewhere"),
    ("coxswain-operator", "create", "pods", HOME),
    ("coxswain-operator", "patch", "jobs.coxswain.dev:status", "elsewhere"),
    ("coxswain-sidecar", "create", "jobs.coxswain.dev", "elsewhere"),
    ("coxswain-models", "get", "secrets/key", "elsewhere"),
    ("coxswain-operator", "list", "configmaps", "demo"),
    ("coxswain-operator", "get", "resourcequotas/coxswain-agents", "demo"),
    ("coxswain-operator", "get", "configmaps/coxswain-type-x", "elsewhere"),
    ("coxswain-sidecar", "get", "configmaps/coxswain-type-x", "elsewhere"),
    ("coxswain-sidecar", "delete", "configmaps/coxswain-type-x", "demo"),
    # Nobody changes what should be, makes a workspace's walls, or takes somebody else's account.
    ("coxswain-operator", "update", "jobs.coxswain.dev/x", "demo"),
    ("coxswain-operator", "patch", "schedules.coxswain.dev/x", "demo"),
    ("coxswain-sidecar", "delete", "schedules.coxswain.dev/x", "demo"),
    ("coxswain-operator", "create", "networkpolicies.networking.k8s.io", "demo"),
    ("coxswain-operator", "delete", "networkpolicies.networking.k8s.io/coxswain-agents", "demo"),
    ("coxswain-operator", "create", "serviceaccounts:token/coxswain-models", HOME),
    ("coxswain-operator", "create", "pods:exec/x", "demo"),
    ("coxswain-sidecar", "create", "pods", "demo"),
    ("coxswain-sidecar", "create", "agents.coxswain.dev", "demo"),
    ("coxswain-sidecar", "list", "jobs.coxswain.dev", "demo"),
    ("coxswain-sidecar", "patch", "jobs.coxswain.dev:status", "demo"),
    ("coxswain-sidecar", "patch", "leases.coxswain.dev:status", "demo"),
    ("coxswain-sidecar", "patch", "leases.coxswain.dev/x", "demo"),
    ("coxswain-operator", "update", "leases.coxswain.dev/x", "demo"),
    ("coxswain-operator", "create", "leases.coordination.k8s.io", "demo"),
    ("coxswain-models", "create", "pods", "demo"),
    ("coxswain-operator", "get", "nodes/x", ""),
    # An agent's account has no rights at all.
    ("demo/coxswain-agent", "get", "secrets/key", "demo"),
    ("demo/coxswain-agent", "list", "pods", "demo"),
    ("demo/coxswain-agent", "get", "jobs.coxswain.dev/x", "demo"),
]


@pytest.mark.parametrize(("account", "verb", "what", "namespace"), ALLOWED)
def test_an_account_may_do_its_work(
    account: str, verb: str, what: str, namespace: str, kubectl: Kubectl
) -> None:
    assert _may(kubectl, account, verb, what, namespace)


@pytest.mark.parametrize(("account", "verb", "what", "namespace"), REFUSED)
def test_an_account_may_not_do_more(
    account: str, verb: str, what: str, namespace: str, kubectl: Kubectl
) -> None:
    assert not _may(kubectl, account, verb, what, namespace)
