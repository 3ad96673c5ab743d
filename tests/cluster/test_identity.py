"""Who an agent's token is to the platform and to the cluster, while its pod lives and after."""

import json
import ssl
import urllib.error
import urllib.request

import pytest

from coxswain import names
from devtools.api_client import Api
from devtools.kubectl import Kubectl
from tests.support import inside
from tests.support.onboarded import JOBS, Workspace

AUDIENCE = "coxswain/default"
# The command runs as who the entry point runs as, so it can read what the entry point reads.
SHOW_TOKEN = f"import time; print(open('{names.TOKEN_FILE}').read(), flush=True); time.sleep(600)"
EVENT = {
    "id": "00000000-0000-7000-8000-000000000000",
    "seq": 1,
    "type": "run.output",
    "details": {"stream": "stdout", "text": "late"},
}


@pytest.fixture(scope="module")
def victim(proving: Workspace) -> Workspace:
    """A workspace in which the Job victim shows its token and works on."""
    proving.agent("worker")
    proving.command("victim", "worker", "python3", "-c", SHOW_TOKEN)
    proving.running("victim")
    return proving


@pytest.fixture(scope="module")
def token(victim: Workspace, api: Api) -> str:
    path = f"/v1/workspaces/{victim.name}/jobs/victim/log"
    victim.until(lambda: "" if api.get(path).body.strip() else "the victim's token")
    return api.get(path).body.strip()


def _run(workspace: Workspace, job: str) -> str:
    return names.run_id(workspace.get(JOBS, job)["metadata"]["uid"], 1)


def test_a_pod_claims_its_own_run_again_and_never_another_one(victim: Workspace) -> None:
    program = inside.source("thief")
    victim.command("thief", "worker", "python3", "-c", program, _run(victim, "victim"))
    other, own = json.loads(victim.ended("thief")["result"]["answer"])
    assert other in (401, 403, 409)
    assert own == 200


def test_a_stolen_token_claims_no_other_run(victim: Workspace, token: str, api: Api) -> None:
    victim.command("neighbour", "worker", "sleep", "600")
    victim.running("neighbour")
    answer = api.as_(token).post("/v1/run/claim", {"run": _run(victim, "neighbour")})
    assert answer.status in (401, 403, 409), answer


def test_an_agents_token_opens_no_door_of_people(token: str, api: Api) -> None:
    agent = api.as_(token)
    for path in ("/v1/events", "/v1/jobs", "/v1/agents"):
        assert agent.get(path).status in (401, 403)
    assert api.get("/v1/events").status == 200


def test_a_token_of_the_agents_account_without_a_pod_is_nobody(victim: Workspace, api: Api) -> None:
    words = ("create", "token", names.AGENT_SERVICE_ACCOUNT, "--audience", AUDIENCE)
    loose = victim.run(*words).strip()
    assert api.as_(loose).post("/v1/run/claim", {"run": _run(victim, "victim")}).status == 401


def _ask_the_api_server(kubectl: Kubectl, token: str) -> int:
    config = kubectl.json("config", "view", "--minify", "--raw")
    url = config["clusters"][0]["cluster"]["server"] + "/api/v1/namespaces/default/secrets"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def test_the_cluster_does_not_know_an_agents_token(
    kubectl: Kubectl, victim: Workspace, token: str
) -> None:
    # A token for the cluster itself is known, and has no rights.
    words = ("create", "token", names.AGENT_SERVICE_ACCOUNT)
    assert _ask_the_api_server(kubectl, victim.run(*words).strip()) == 403
    assert _ask_the_api_server(kubectl, token) == 401


def test_the_agents_account_may_do_nothing(kubectl: Kubectl, victim: Workspace) -> None:
    account = f"system:serviceaccount:{victim.name}:{names.AGENT_SERVICE_ACCOUNT}"
    for verb in ("get", "list", "watch", "create", "patch", "delete"):
        for kind in ("secrets", "pods", "configmaps", "agents.coxswain.dev", "jobs.coxswain.dev"):
            words = ("auth", "can-i", verb, kind, "--namespace", victim.name, "--as", account)
            assert not kubectl.answers(*words), (verb, kind)


def test_the_token_of_a_pod_that_has_ended_is_nobodys(
    victim: Workspace, token: str, api: Api
) -> None:
    agent = api.as_(token)
    assert agent.post("/v1/run/heartbeat", {}).status == 200
    victim.run("patch", JOBS, "victim", "--type=merge", "--patch", '{"spec":{"cancel":true}}')
    assert victim.ended("victim")["phase"] == "Cancelled"
    assert agent.post("/v1/run/heartbeat", {}).status == 401
    assert agent.post("/v1/run/events", {"events": [EVENT]}).status == 401
