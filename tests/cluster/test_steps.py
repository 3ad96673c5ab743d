"""A Job of several steps on a real node: programs and a model in one pod, and what the log says of them."""

import pytest

from devtools.api_client import Api
from tests.support.onboarded import Workspace

DEMO = [{"alias": "demo", "provider": "demo", "model": "demo"}]


@pytest.fixture(scope="module")
def asking(proving: Workspace) -> Workspace:
    proving.agent("asking", models=DEMO)
    return proving


def test_steps_share_a_pod_and_each_is_told(asking: Workspace, api: Api) -> None:
    steps = [
        {"name": "write", "command": ["sh", "-c", "echo The lamp burned colza oil. > lamp.txt"]},
        {"name": "ask", "prompt": "Which oil did the lamp burn?"},
        {
            "name": "say",
            "command": ["cat", ".steps/write/outcome", ".steps/ask/answer"],
            "dependsOn": [{"name": "ask"}],
        },
    ]
    asking.job("steps", "asking", steps=steps)
    status = asking.ended("steps")
    assert status["phase"] == "Succeeded"
    assert len(status["attempts"]) == 1
    assert status["result"]["answer"].startswith("succeeded\n")
    assert "colza oil" in status["result"]["answer"]
    log = api.get(f"/v1/workspaces/{asking.name}/jobs/steps/log").body
    marks = [line for line in log.splitlines() if line.startswith("[step ")]
    assert marks == [
        f"[step {name} {what}]"
        for name in ("write", "ask", "say")
        for what in ("started", "succeeded")
    ]
