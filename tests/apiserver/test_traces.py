"""One trace from the API to the result, over all processes and the real agent program, as a collector gets it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from coxswain.api.kind import Job
from coxswain.names import audience
from tests.support import builders, leader, whole
from tests.support.agents import AgentProcess
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.otlp import Collector, Span
from tests.support.pods import FakePod, Script
from tests.support.postgres import Database
from tests.support.verbs import Running
from tests.support.workspace import Workspace

TOKEN = "a-local-token-of-the-tests"
TRACE, CALLER_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = f"00-{TRACE}-{CALLER_SPAN}-01"
MADE = "POST /v1/workspaces/{workspace}/jobs"
CLAIM, RESULT, ASK = "POST /v1/run/claim", "POST /v1/run/result", "POST /v1/chat/completions"
ATTEMPT, CHAT, TOOL = "invoke_agent a", "chat demo", "execute_tool list_files"
NEEDED = ("job", "reconcile Job", "start pod", ATTEMPT, CLAIM, ASK, CHAT, TOOL, RESULT)
WANTED = {"title": "Ask", "prompt": "Which files are there?"}
TOOLS = {"allow": ["list_files", "read_file"]}
SECOND = 1_000_000_000
TRACED = ("operator", "sidecar", "models")


def named(spans: list[Span], name: str) -> Span:
    """The one, or one of those, of a name."""
    return next(each for each in spans if each.name == name)


async def test_one_trace_goes_from_the_request_or_from_kubectl_to_the_result(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    async with Collector() as collector:
        more = _settings(collector, tmp_path)
        with whole.running(installation, database, tmp_path, more) as processes:
            agent = builders.agent("a").with_model().with_spec(tools=TOOLS)
            await workspace.apply(agent)
            await workspace.agent_is("a", "Ready")
            script = _program(tmp_path, processes)
            async with Kubelet(workspace.client, script, namespace=workspace.namespace) as kubelet:
                await _asks_the_api(processes["sidecar"], workspace)
                asked = await workspace.job_ends("asked")
                await workspace.apply(builders.job("applied", "a").with_spec(**WANTED))
                applied = await workspace.job_ends("applied")
            assert not kubelet.faults
            of_request = await collector.has(TRACE, MADE, *NEEDED, beyond=CALLER_SPAN)
            of_kubectl = await collector.has(UUID(applied.metadata.uid).hex, *NEEDED)
    _is_whole(of_request, asked)
    request = named(of_request, MADE)
    assert (request.service, request.parent) == ("coxswain-sidecar", CALLER_SPAN)
    assert named(of_request, "job").parent == request.span
    _is_whole(of_kubectl, applied)
    assert named(of_kubectl, "job").parent == ""


def _settings(collector: Collector, folder: Path) -> dict[str, dict[str, Any]]:
    (folder / "local-token").write_text(TOKEN)
    more: dict[str, dict[str, Any]] = {verb: {"traces_endpoint": collector.url} for verb in TRACED}
    more["sidecar"]["local_token_file"] = folder / "local-token"
    more["models"] |= {"demo_provider": True, "verdict_poll_seconds": 0.1}
    return more


def _program(folder: Path, processes: dict[str, Running]) -> Script:
    """The real program in each pod, with what the operator has put into its environment."""

    async def act(pod: FakePod) -> None:
        await pod.starts()
        own = folder / pod.uid
        own.mkdir()
        agent = AgentProcess(
            own,
            processes["sidecar"].url,
            processes["models"].url,
            pod.environment["COXSWAIN_RUN"],
            {"traceparent": pod.environment["COXSWAIN_TRACEPARENT"]},
            await pod.token(audience(leader.INSTALLATION)),
        )
        code, _ = await agent.finish()
        await pod.ends(code)

    return act


async def _asks_the_api(sidecar: Running, workspace: Workspace) -> None:
    body = {"metadata": {"name": "asked"}, "spec": {"agentRef": {"name": "a"}, **WANTED}}
    headers = {"Authorization": f"Bearer {TOKEN}", "traceparent": CALLER}
    url = f"{sidecar.url}/v1/workspaces/{workspace.namespace}/jobs"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as answer,
    ):
        assert answer.status == 201, await answer.text()


def _is_whole(spans: list[Span], job: Job) -> None:
    """Each span stands below the one that caused it, comes from the process that made it, and is there once."""
    assert job.status.phase == "Succeeded"
    root, attempt, request = named(spans, "job"), named(spans, ATTEMPT), named(spans, ASK)
    below = {
        "reconcile Job": ("coxswain-operator", root.span),
        "start pod": ("coxswain-operator", root.span),
        ATTEMPT: ("coxswain-operator", root.span),
        CLAIM: ("coxswain-sidecar", attempt.span),
        TOOL: ("coxswain-sidecar", attempt.span),
        RESULT: ("coxswain-sidecar", attempt.span),
        ASK: ("coxswain-models", attempt.span),
    }
    assert {name: _place(named(spans, name)) for name in below} == below
    asked = {each.span for each in spans if each.name == ASK}
    assert {each.parent for each in spans if each.name == CHAT} <= asked
    assert request.service == named(spans, CHAT).service
    assert len({each.span for each in spans}) == len(spans)
    for once in ("job", "start pod", ATTEMPT, TOOL, RESULT):
        assert len([each for each in spans if each.name == once]) == 1, once
    assert root.attributes["coxswain.job.name"] == job.metadata.name
    # Kubernetes tells of a pod's end in whole seconds.
    assert root.began <= attempt.began <= named(spans, TOOL).ended < attempt.ended + SECOND
    assert attempt.ended <= root.ended
    assert not [each for each in spans if each.is_error and each.name != "reconcile Job"]


def _place(span: Span) -> tuple[str, str]:
    return span.service, span.parent
