"""What a request is about, by its path."""

import pytest

from tests.faults.proxy import targets
from tests.faults.proxy.targets import Target

OURS = "/apis/coxswain.dev/v1alpha1"
CASES = [
    ("GET", f"{OURS}/jobs", {}, Target("list", "jobs")),
    ("GET", f"{OURS}/jobs", {"watch": "true"}, Target("watch", "jobs")),
    ("GET", f"{OURS}/namespaces/team/jobs/j", {}, Target("get", "jobs", "team", "j")),
    (
        "PATCH",
        f"{OURS}/namespaces/team/jobs/j/status",
        {},
        Target("patch", "jobs/status", "team", "j"),
    ),
    ("POST", "/api/v1/namespaces/team/pods", {}, Target("create", "pods", "team")),
    ("DELETE", "/api/v1/namespaces/team/pods/p", {}, Target("delete", "pods", "team", "p")),
    ("GET", "/api/v1/namespaces/team", {}, Target("get", "namespaces", "", "team")),
    (
        "PUT",
        "/apis/coordination.k8s.io/v1/namespaces/home/leases/l",
        {},
        Target("update", "leases.coordination.k8s.io", "home", "l"),
    ),
    ("GET", "/readyz", {}, Target("get", "/readyz")),
]


@pytest.mark.parametrize(("method", "path", "query", "wanted"), CASES)
def test_a_request_is_told_by_its_path(
    method: str, path: str, query: dict[str, str], wanted: Target
) -> None:
    assert targets.of(method, path, query) == wanted


def test_questions_and_election_are_no_writes() -> None:
    review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert not targets.of("POST", review, {}).is_write
    assert not Target("update", "leases.coordination.k8s.io").is_write
    assert Target("update", "leases").is_write
    assert not Target("list", "pods").is_write
