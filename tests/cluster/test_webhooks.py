"""Webhooks on a real node: a pod that may reach the channel gateway sends signed requests, each makes one Job."""

import secrets
from collections.abc import Iterator

import pytest

from devtools import api_client, release
from devtools.api_client import Api
from devtools.kubectl import Kubectl
from tests.support import inside, installed, unguarded
from tests.support.onboarded import JOBS, Workspace
from tests.support.unguarded import Outside

pytestmark = pytest.mark.alone

HOOK = "pushed"
SCHEDULES = "schedules.coxswain.dev"
KEY = secrets.token_hex(16)


@pytest.fixture(scope="module")
def let_in(kubectl: Kubectl, outside: Outside) -> Iterator[None]:
    """The channel gateway, switched on for pods of one namespace outside."""
    label = {"kubernetes.io/metadata.name": outside.name}
    senders = [{"namespaceSelector": {"matchLabels": label}}]
    more = {"channels": {"enabled": True}, "network": {"channelsFrom": senders}}
    with installed.changed(kubectl, more):
        yield


@pytest.fixture(scope="module")
def hooked(kubectl: Kubectl, proving: Workspace, let_in: None) -> Iterator[Workspace]:
    """A workspace with a Schedule that takes what is signed with the key."""
    proving.agent("crew")
    metadata = {"name": "hooks", "namespace": proving.name}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    kubectl.apply({**secret, "type": "coxswain.dev/channel", "stringData": {"key": KEY}})
    job = {"agentRef": {"name": "crew"}, "title": "Look at a push", "command": ["echo", "seen"]}
    hook = {"scheme": "GitHub", "secretRef": {"name": "hooks"}}
    spec = {"webhook": hook, "overlap": "AllowAll", "jobTemplate": {"spec": job}}
    proving.apply("Schedule", HOOK, spec)
    try:
        yield proving
    finally:
        proving.run("delete", SCHEDULES, HOOK)
        proving.run("delete", "secret", "hooks")


def _words(workspace: Workspace, *deliveries: str) -> list[str]:
    host = f"coxswain-channels.{release.NAMESPACE}.svc.cluster.local"
    url = f"https://{host}:8083/v1/hooks/{workspace.name}/{HOOK}"
    trusted = api_client.authority(workspace.kubectl)
    return ["python3", "-c", inside.source("sender"), url, trusted, KEY, *deliveries]


def test_each_signed_delivery_makes_one_job_that_runs_and_what_is_not_signed_makes_none(
    hooked: Workspace, outside: Outside, api: Api
) -> None:
    outside.start("sender", _words(hooked, "one", "one", "-forged", "two"))
    assert outside.printed("sender") == [202, 202, 404, 202]

    def missing() -> str:
        phases = [each.get("status", {}).get("phase") for each in hooked.objects(JOBS)]
        return "" if phases.count("Succeeded") >= 2 else "two Jobs that ran"

    hooked.until(missing)
    # The operator takes them in the order in which they came: what the repeat made would be here.
    ticks = api.get(f"/v1/workspaces/{hooked.name}/schedules/{HOOK}/ticks").json["items"]
    told = sorted((each["cause"]["delivery"], each["source"], each["outcome"]) for each in ticks)
    assert told == [("one", "Webhook", "Fired"), ("two", "Webhook", "Fired")]
    assert len(hooked.objects(JOBS)) == 2


def test_a_pod_that_no_value_names_does_not_reach_the_gateway(
    kubectl: Kubectl, hooked: Workspace
) -> None:
    with unguarded.outside(kubectl) as elsewhere:
        elsewhere.start("stranger", _words(hooked, "three"))
        assert elsewhere.printed("stranger") == [0]
