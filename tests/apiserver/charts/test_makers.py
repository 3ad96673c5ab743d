"""What makes the installation's Secrets, as it runs in its pods: with the chart's accounts and no further right."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from devtools.controlplane import ControlPlane
from devtools.kubectl import Kubectl
from tests.support import chart

Body = dict[str, Any]
HOME = ("--namespace", chart.RELEASE_NAMESPACE)
AUTHORITY, MODELS = "coxswain-inside-authority", "coxswain-inside-models"
ACCESS = ("ServiceAccount", "Role", "RoleBinding")


@dataclass(frozen=True)
class Maker:
    """One of the pods that make Secrets, played: its containers run here, one after the other."""

    plane: ControlPlane
    kubectl: Kubectl
    pod: Body
    folder: Path

    def runs(self, **more: str) -> list[str]:
        """Run it to its end; what its last container said. ``more`` are variables in place of the pod's."""
        said = ""
        for container in chart.containers({"spec": self.pod}):
            said = self._run(container, more)
        return said.splitlines()

    def _run(self, container: Body, more: dict[str, str]) -> str:
        address = urlsplit(self.plane.url)
        told = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        variables = {
            "ACCOUNT": str(self._account()),
            "NAMESPACE": chart.RELEASE_NAMESPACE,
            "KUBERNETES_SERVICE_HOST": str(address.hostname),
            "KUBERNETES_SERVICE_PORT": str(address.port),
        }
        done = subprocess.run(
            [sys.executable, *container["command"][1:]],
            env={**os.environ, **told, **variables, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _account(self) -> Path:
        """What the kubelet mounts."""
        folder = self.folder / "account"
        folder.mkdir(exist_ok=True)
        words = ("create", "token", self.pod["serviceAccountName"])
        (folder / "token").write_text(self.kubectl.run(*HOME, *words).strip())
        (folder / "ca.crt").write_bytes(self.plane.ca_file.read_bytes())
        return folder

    def certifies(self, standing: str) -> list[str]:
        """Run it where this is there already, a folder; what its last container said."""
        made = self.folder / f"made-beside-{standing}"
        made.mkdir()
        (self.folder / standing).mkdir(exist_ok=True)
        folders = {"FOLDER": str(made), "CERTIFICATES_FOLDER": str(made)}
        return self.runs(STANDING=str(self.folder / standing), **folders)

    def mounts(self, name: str, into: str) -> None:
        """Put a Secret where the pod would see it."""
        data = self.kubectl.json(*HOME, "get", "secret", name)["data"]
        folder = self.folder / into / name
        folder.mkdir(parents=True)
        for file, text in data.items():
            (folder / file).write_bytes(base64.b64decode(text))


@pytest.fixture
def maker(request: pytest.FixtureRequest, plane: ControlPlane, tmp_path: Path) -> Iterator[Maker]:
    """The pod of the object that the test names by kind and name, with its account in the cluster."""
    kubectl = Kubectl(plane.kubeconfig)
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME[1]}}
    kubectl.apply(home)
    objects = chart.render(chart.INSIDE)
    spec = chart.find(objects, *request.param)["spec"]
    pod = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
    access = [
        each
        for each in objects
        if each["kind"] in ACCESS and each["metadata"]["name"] == pod["serviceAccountName"]
    ]
    assert len(access) == len(ACCESS)
    file = tmp_path / "access.yaml"
    file.write_text(yaml.safe_dump_all(access))
    kubectl.run("apply", "--server-side", "--filename", file)
    yield Maker(plane, kubectl, pod, tmp_path)
    kubectl.run(*HOME, "delete", "secrets", "--selector", "app.kubernetes.io/part-of=coxswain")


HOOK = ("Job", "coxswain-certificates-hook")
DAILY = ("CronJob", "coxswain-renewal")


@pytest.mark.parametrize("maker", [("Job", "coxswain-secrets")], indirect=True)
def test_the_hook_makes_the_installations_secrets(maker: Maker) -> None:
    first, second = maker.runs(), maker.runs()
    assert len(first) == 3
    assert all(line.endswith(": made") for line in first)
    assert all(line.endswith(": there already") for line in second)


@pytest.mark.parametrize("maker", [HOOK, DAILY], indirect=True)
def test_certificates_are_made_and_replaced_by_each_account_that_may(maker: Maker) -> None:
    first = maker.certifies("nothing")
    assert first[0] == f"Secret {AUTHORITY}: made"
    assert f"Secret {MODELS}: made" in first
    maker.mounts(AUTHORITY, into="authority")
    second = maker.certifies("authority")
    assert f"Secret {MODELS}: replaced" in second
    assert not [line for line in second if AUTHORITY in line]
