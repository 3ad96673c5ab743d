"""The bundled Postgres backs itself up, inside its own pod and without any setting."""

import json

from devtools import release
from devtools.kubectl import Kubectl
from tests.support.onboarded import Workspace

POD = ("--namespace", release.NAMESPACE, "exec", "coxswain-postgres-0", "--")


def test_a_backup_of_the_bundled_postgres_is_whole_and_says_what_it_holds(
    kubectl: Kubectl, proving: Workspace
) -> None:
    proving.agent("kept")
    proving.command("done", "kept", "true")
    assert proving.ended("done")["phase"] == "Succeeded"
    said = json.loads(
        kubectl.run(*POD, "sh", "-c", "coxswain-backup make | coxswain-backup verify")
    )
    assert said["position"] > 0
    assert {"Agent", "Job"} <= said["objects"].keys()
    left = kubectl.run(*POD, "sh", "-c", "ls /var/lib/coxswain/postgres")
    assert "backup." not in left
