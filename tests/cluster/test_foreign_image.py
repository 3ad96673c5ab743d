"""An image that knows nothing of the platform, on a real node: the public Python image beside our door."""

import json
from typing import Any

import pytest

from devtools.api_client import Api
from devtools.images import base
from devtools.kubectl import Kubectl
from tests.support.onboarded import Workspace

DEMO = [{"alias": "demo", "provider": "demo", "model": "demo"}]
SECONDS = 180.0
# What every program here has at hand: the door, by nothing but the standard library.
ASK = """
import json, os, time, urllib.request
def ask(route, **body):
    request = urllib.request.Request(os.environ["COXSWAIN_URL"] + "/v1/" + route, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or "{}")
run = os.environ["COXSWAIN_RUN"]
"""
MODEL = """
assert not os.path.exists("/coxswain/identity")
assert ask("run/claim", run=run)["run"]["image"]
said = ask("chat/completions", model="default", messages=[{"role": "user", "content": "Who?"}])
print(said["choices"][0]["message"]["content"])
"""
GOES_ON = """
ask("run/claim", run=run)
print("ready", flush=True)
gone = False
for _ in range(600):
    time.sleep(0.1)
    try:
        ask("run/heartbeat")
    except OSError:
        gone = True
        continue
    if gone:
        raise SystemExit(0)
raise SystemExit("the door never went and came back")
"""
SUM = """
import json, os
given = json.load(open(os.environ["COXSWAIN_INPUT"]))
json.dump({"sum": sum(given["of"])}, open(os.environ["COXSWAIN_OUTPUT"], "w"))
"""


@pytest.fixture(scope="module")
def foreign(proving: Workspace) -> Workspace:
    """A workspace with an Agent whose image is not ours."""
    proving.agent("foreign", runtime={"image": base.NAME}, models=DEMO)
    proving.agent("plain")
    return proving


def program(foreign: Workspace, name: str, script: str) -> None:
    foreign.command(name, "foreign", "python3", "-c", ASK + script)


def test_a_program_without_a_token_asks_a_model_through_the_door(
    foreign: Workspace, api: Api
) -> None:
    program(foreign, "asks", MODEL)
    status = foreign.ended("asks", SECONDS)
    assert status["phase"] == "Succeeded", status
    log = api.get(f"/v1/workspaces/{foreign.name}/jobs/asks/log").body
    assert "demo" in log


def test_an_exit_code_decides_where_nothing_is_said(foreign: Workspace) -> None:
    program(foreign, "fails", "raise SystemExit(3)")
    (attempt,) = foreign.ended("fails", SECONDS)["attempts"]
    assert (attempt["reason"], attempt["exitCode"]) == ("ExitCode", 3)


def test_a_program_outlives_its_door(foreign: Workspace, kubectl: Kubectl) -> None:
    program(foreign, "outlives", GOES_ON)
    foreign.running("outlives", SECONDS)
    (pod,) = foreign.pods_of("outlives")
    name = pod["metadata"]["name"]

    def said() -> str:
        log = foreign.run("logs", name, "--container=agent")
        return "" if "ready" in log else "the program's first word"

    foreign.until(said)
    end = "import os, signal; os.kill(1, signal.SIGTERM)"
    foreign.run("exec", name, "--container=door", "--", "python", "-c", end)
    status = foreign.ended("outlives", SECONDS)
    assert status["phase"] == "Succeeded", status
    assert len(status["attempts"]) == 1


def test_a_type_is_an_image_and_an_entry(foreign: Workspace, kubectl: Kubectl) -> None:
    data: dict[str, Any] = {
        "inputSchema": json.dumps({"type": "object", "required": ["of"], "properties": {"of": {}}}),
        "outputSchema": json.dumps({"type": "object", "required": ["sum"]}),
        "image": base.NAME,
        "command": json.dumps(["python3", "-c", SUM]),
    }
    metadata = {
        "name": "coxswain-type-sum",
        "namespace": foreign.name,
        "labels": {"coxswain.dev/job-type": "true"},
    }
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    foreign.job("sum", "plain", type="sum", input='{"of": [1, 2, 3]}')
    status = foreign.ended("sum", SECONDS)
    assert status["phase"] == "Succeeded", status
    assert json.loads(status["result"]["output"]) == {"sum": 6}
