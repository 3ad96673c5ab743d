"""The kinds as a person at a terminal sees them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from coxswain import names
from coxswain.api import manifest
from devtools import programs
from devtools.controlplane import ControlPlane
from tests.support import builders, examples

Kubectl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def kubectl(plane: ControlPlane, namespace: str) -> Kubectl:
    """Run kubectl in the test's workspace."""
    program = programs.ensure("kubernetes") / "kubectl"

    def run(*words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        command = [str(program), "--kubeconfig", str(plane.kubeconfig), "-n", namespace, *words]
        return subprocess.run(command, input=given, text=True, capture_output=True, check=False)

    return run


def test_samples_are_applied_and_listed_by_short_name_and_category(kubectl: Kubectl) -> None:
    for path in examples.files():
        done = kubectl("apply", "-f", str(path))
        assert done.returncode == 0, done.stderr
    assert kubectl("get", "cxa").stdout.split()[:5] == [
        "NAME",
        "READY",
        "PHASE",
        "MODEL",
        "SUSPENDED",
    ]
    assert kubectl("get", "cxj").stdout.split()[:5] == [
        "NAME",
        "PHASE",
        "AGENT",
        "ATTEMPT",
        "REASON",
    ]
    listed = kubectl("get", names.CATEGORY, "-o", "name").stdout.split()
    assert {"agent.coxswain.dev/reader", "job.coxswain.dev/first-answer"} <= set(listed)


def test_a_sample_that_is_applied_again_is_unchanged(kubectl: Kubectl) -> None:
    reference = str(examples.FOLDER / "reference")
    kubectl("apply", "-f", reference)
    for options in ([], ["--server-side", "--force-conflicts"]):
        kubectl("apply", *options, "-f", reference)
        again = kubectl("diff", *options, "-f", reference)
        assert (again.returncode, again.stdout) == (0, ""), again.stderr


def test_a_typing_error_is_named_with_its_place(kubectl: Kubectl, tmp_path: Path) -> None:
    wrong = builders.agent().with_spec(limits={"maxStep": 3}).manifest
    del wrong["metadata"]["namespace"]
    done = kubectl("apply", "-f", "-", given=yaml.safe_dump(wrong))
    assert done.returncode == 1
    assert 'unknown field "spec.limits.maxStep"' in done.stderr


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("jobs.spec.retry.maxAttempts", "Attempts in all"),
        ("agents.spec.sandbox.seccomp", "Unconfined is not offered"),
        ("agents.spec.models.credentials.name", "Its name"),
    ],
)
def test_every_field_explains_itself(kubectl: Kubectl, field: str, words: str) -> None:
    kind, _, path = field.partition(".")
    assert words in kubectl("explain", f"{kind}.{names.GROUP}.{path}").stdout


@pytest.mark.parametrize("kind", manifest.KINDS, ids=lambda kind: kind.plural)
def test_the_committed_crds_are_those_of_the_types(kind: manifest.Kind) -> None:
    committed = yaml.safe_load((examples.ROOT / "crds" / f"{kind.plural}.yaml").read_text())
    assert committed == manifest.definition(kind)
