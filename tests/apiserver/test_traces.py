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
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.workspace import Workspace

TOKEN = "a-local-token-of-the-tests"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ATTEMPT = "invoke_agent a"
NEEDED = ("job", ATTEMPT, "reconcile Job", "chat demo", "execute_tool list_files")
WANTED = {"title": "Ask", "prompt": "Which files are there?"}


def named(spans: list[Span], name: str) -> Span:
    return next(each for each in spans if each.name == name)


async def test_one_trace_goes_from_the_request_or_from_kubectl_to_the_result(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    async with Collector() as collector:
        more: dict[str, dict[str, Any]] = {
            verb: {"traces_endpoint": collector.url} for verb in whole.VERBS
        }
        more["sidecar"]["local_token_file"] = token_file
        more["models"] |= {"demo_provider": True, "verdict_poll_seconds": 0.1}
        with whole.running(installation, database, tmp_path, more) as processes:

            async def act(pod: FakePod) -> None:
                await pod.starts()
                folder = tmp_path / pod.uid
                folder.mkdir()
                given = pod.environment
                agent = AgentProcess(
                    folder,
                    processes["sidecar"].url,
                    processes["models"].url,
                    given["COXSWAIN_RUN"],
                    {"traceparent": given["COXSWAIN_TRACEPARENT"]},
                    await pod.token(audience(leader.INSTALLATION)),
                )
                code, _ = await agent.finish()
                await pod.ends(code)

            agent = builders.agent("a").with_model().with_spec(tools={"allow": ["list_files"]})
            await workspace.apply(agent)
            await workspace.agent_is("a", "Ready")
            async with Kubelet(workspace.client, act, namespace=workspace.namespace):
                await _asks_the_api(processes["sidecar"].url, workspace)
                asked = await workspace.job_ends("asked")
                job = builders.job("applied", "a").with_spec(**WANTED)
                await workspace.apply(job)
                by_kubectl = await workspace.job_ends("applied")
            spans = await collector.has(CALLER.split("-")[1], *NEEDED)
            _is_whole(spans, asked)
            request = named(spans, "POST /v1/workspaces/{workspace}/jobs")
            assert request.parent == CALLER.split("-")[2]
            assert named(spans, "job").parent == request.span
            own = await collector.has(UUID(by_kubectl.metadata.uid).hex, *NEEDED)
            _is_whole(own, by_kubectl)
            assert named(own, "job").parent == ""


async def _asks_the_api(url: str, workspace: Workspace) -> None:
    body = {"metadata": {"name": "asked"}, "spec": {"agentRef": {"name": "a"}, **WANTED}}
    headers = {"Authorization": f"Bearer {TOKEN}", "traceparent": CALLER}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{url}/v1/workspaces/{workspace.namespace}/jobs", json=body) as answer,
    ):
        assert answer.status == 201


def _is_whole(spans: list[Span], job: Job) -> None:
    """Each span stands below the one that caused it, and comes from the process that made it."""
    by_id = {each.span: each for each in spans}
    root, attempt = named(spans, "job"), named(spans, ATTEMPT)
    assert root.attributes["coxswain.job"] == job.metadata.name
    assert attempt.parent == root.span
    assert named(spans, "reconcile Job").parent == root.span
    claim = named(spans, "POST /v1/run/claim")
    assert (claim.service, claim.parent) == ("coxswain-sidecar", attempt.span)
    result = named(spans, "POST /v1/run/result")
    assert result.parent == attempt.span
    chat = named(spans, "chat demo")
    assert (chat.service, by_id[chat.parent].parent) == ("coxswain-models", attempt.span)
    tool = named(spans, "execute_tool list_files")
    assert tool.parent == attempt.span
