"""A full run of the whole platform with secrets that nobody else has: they do their work, and show up nowhere.

Every process is one of its own and talks at the level debug; the agent program is the real one. Things go
wrong on the way: a provider that repeats the key in its refusal, wrong tokens and signatures, a
receiver that refuses, a database that goes away.
"""

import asyncio
import base64
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coxswain.kube import paths
from coxswain.names import audience
from tests.support import builders, canaries, leader, outside, whole
from tests.support.agents import AgentProcess
from tests.support.canaries import Canaries
from tests.support.channels import KEY, signed
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.otlp import Collector
from tests.support.outage import Switch, switchable
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.provider import Fail, Provider
from tests.support.receiver import Receiver, Say
from tests.support.verbs import Running
from tests.support.workspace import Workspace

DEBUG = {"log_level": "debug"}
OUTPUTS = ("log of operator", "log of sidecar", "log of egress", "the database", "the traces")
KINDS = ("agents", "jobs", "schedules", "pods", "events")


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cx-") as folder:
        yield Path(folder)


@dataclass
class World:
    """The platform with what stands around it, and all that was said to anybody."""

    workspace: Workspace
    database: Database
    processes: dict[str, Running]
    provider: Provider
    receiver: Receiver
    postgres: Switch
    folder: Path
    secrets: Canaries
    collector: Collector
    schedule: str = ""
    heard: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, token: str, **given: Any) -> tuple[int, Any]:
        """Ask the API, or with an address any door, and remember the answer."""
        url = path if path.startswith("http") else self.processes["sidecar"].url + path
        headers = {**given.pop("headers", {}), "Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **given) as answer,
        ):
            text = await answer.text()
        self.heard[f"{method} {path} {len(self.heard)}"] = f"{answer.headers}\n{text}"
        is_json = answer.content_type == "application/json"
        return answer.status, json.loads(text) if is_json else text

    async def act(self, pod: FakePod) -> None:
        """Run the real agent program as this pod, with the token that a kubelet would give it."""
        await pod.starts()
        token = await pod.token(audience(leader.INSTALLATION))
        self.secrets.others[f"token of {pod.name}"] = token
        folder = self.folder / pod.uid
        folder.mkdir()
        sidecar, models = (self.processes[verb].url for verb in ("sidecar", "models"))
        agent = AgentProcess(folder, sidecar, models, pod.environment["COXSWAIN_RUN"], token=token)
        code, said = await agent.finish()
        self.heard[f"log of {pod.name}"] = said
        await pod.ends(code)

    async def outputs(self) -> dict[str, str]:
        """Every log, metric, answer, object and row."""
        found = dict(self.heard)
        for verb, process in self.processes.items():
            found[f"log of {verb}"] = process.text
            for path in ("/metrics", "/readyz?verbose"):
                found[f"{path} of {verb}"] = (await process.asked(path))[1]
        for kind in KINDS:
            at = paths.collection(kind, self.workspace.namespace)
            found[kind] = json.dumps(await self.workspace.client.get(at))
        found["the database"] = await canaries.rows(self.database)
        found["the traces"] = repr(self.collector.spans)
        return found


@asynccontextmanager
async def standing(
    workspace: Workspace,
    installation: Installation,
    database: Database,
    sockets: Path,
    folder: Path,
) -> AsyncIterator[World]:
    secrets = Canaries()
    token_file = folder / "local-token"
    await asyncio.to_thread(token_file.write_text, secrets.local_token)
    async with (
        Provider() as provider,
        Receiver() as receiver,
        Collector() as collector,
        switchable(database, sockets) as (behind, postgres),
    ):
        origin = f"http://localhost:{receiver.port}"
        traced = {"traces_endpoint": collector.url}
        more: dict[str, dict[str, Any]] = {
            verb: DEBUG | (traced if verb != "egress" else {}) for verb in whole.VERBS
        }
        more["sidecar"]["local_token_file"] = token_file
        more["models"] |= {
            "provider_base_urls": [f"{provider.url}/v1"],
            "verdict_poll_seconds": 0.1,
        }
        more["egress"] |= {
            "callbacks_allowed_domains": ["localhost"],
            "callbacks_origins": [origin],
        }
        with whole.running(installation, behind, folder, more) as processes:
            for each in processes.values():
                await each.says()
            yield World(
                workspace,
                database,
                processes,
                provider,
                receiver,
                postgres,
                folder,
                secrets,
                collector,
            )


async def test_secrets_do_their_work_and_show_up_in_no_output(
    workspace: Workspace,
    installation: Installation,
    database: Database,
    sockets: Path,
    tmp_path: Path,
) -> None:
    made = standing(workspace, installation, database, sockets, tmp_path)
    async with made as world:
        await _prepare(world)
        async with Kubelet(workspace.client, world.act, namespace=workspace.namespace) as kubelet:
            await _run(world)
            await _deliver(world)
        assert not kubelet.faults
        await _knock(world)
        await _lose_postgres(world)
        outputs = await world.outputs()
        assert world.secrets.seen(database, outputs) == []
        # All of them were really used, and what is searched is not empty.
        assert world.provider.keys[-1] == world.secrets.provider_key
        world.receiver.received[-1].verify(world.secrets.signing_key)
        assert len(world.secrets.others) >= 3
        for where in OUTPUTS:
            assert len(outputs[where]) > 1000, where
        assert "PROVIDER_AUTHENTICATION" in outputs["the database"]
        planted = {"a log": f"asked with {world.secrets.provider_key}"}
        assert world.secrets.seen(database, planted) == ["provider key in a log"]


async def _prepare(world: World) -> None:
    """The Secrets, an Agent whose model needs one, a Schedule that a webhook fires, and an API key."""
    url = f"{world.provider.url}/v1"
    for name, kind, data in (
        ("provider", "provider", {"apiKey": world.secrets.provider_key, "baseURLs": url}),
        ("signing", "signing", {"key": world.secrets.signing_key}),
        ("hooks", "channel", {"key": world.secrets.webhook_key}),
    ):
        secret = {
            "metadata": {"name": name},
            "type": f"coxswain.dev/{kind}",
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
        }
        at = paths.collection("secrets", world.workspace.namespace)
        await world.workspace.client.create(at, secret)
    agent = builders.agent("a").with_model(
        "any", "openai", baseURL=url, credentials={"name": "provider"}
    )
    await world.workspace.apply(agent)
    await world.workspace.agent_is("a", "Ready")
    world.schedule = await outside.has_schedule(
        world.workspace, world.database, webhook=outside.HOOK
    )
    status, made = await world.ask(
        "POST", "/v1/keys", world.secrets.local_token, json={"name": "ci", "role": "Admin"}
    )
    assert status == 201
    # The one answer that shows it.
    world.heard.popitem()
    world.secrets.others["API key"] = made["secret"]


async def _run(world: World) -> None:
    """One Job whose provider refuses its key, in words that repeat it, and one that is answered."""
    told = f"http://localhost:{world.receiver.port}/done"
    world.receiver.will(Say(500, body=b"no"))
    for name, phase, steps in (
        ("refused", "Failed", [Fail(401, "invalid_api_key", "Incorrect API key provided: {key}")]),
        ("answered", "Succeeded", []),
    ):
        world.provider.will(*steps)
        spec = {
            "agentRef": {"name": "a"},
            "title": "Ask",
            "prompt": "Say something.",
            "callback": {"url": told, "signing": {"name": "signing"}},
        }
        jobs = f"/v1/workspaces/{world.workspace.namespace}/jobs"
        wanted = {"metadata": {"name": name}, "spec": spec}
        status, _ = await world.ask("POST", jobs, world.secrets.others["API key"], json=wanted)
        assert status == 201
        assert (await world.workspace.job_ends(name)).status.phase == phase


async def _deliver(world: World) -> None:
    """Callbacks reach their receiver, which refuses the first; a webhook comes in."""
    await world.receiver.has(2)
    url = f"{world.processes['channels'].url}/v1/hooks/{world.workspace.namespace}/s"
    statuses = []
    async with aiohttp.ClientSession() as session:
        for key in (KEY, world.secrets.webhook_key):
            headers = signed(b"{}", "msg_1", key=key)
            async with session.post(url, data=b"{}", headers=headers) as answer:
                statuses.append(answer.status)
                world.heard[f"hook {len(world.heard)}"] = await answer.text()
    assert statuses == [404, 202]
    (tick,) = await outside.fired(world.database, world.schedule, 1)
    await world.workspace.job_ends(tick.job_name or "")


async def _knock(world: World) -> None:
    """Whatever is nearly right, or in the wrong place, is refused without being repeated."""
    key, local = world.secrets.others["API key"], world.secrets.local_token
    for token in (f"{key}x", f"x{local}", next(iter(world.secrets.others.values()))):
        await world.ask("GET", "/v1/keys", token)
    status, _ = await world.ask("GET", f"/v1/jobs?access_token={local}", local)
    assert status == 422
    jobs = f"/v1/workspaces/{world.workspace.namespace}/jobs"
    await world.ask("GET", "/v1/events", key)
    await world.ask("GET", f"{jobs}/answered/log", key)
    models = world.processes["models"].url
    await world.ask("POST", f"{models}/v1/chat/completions", key, json={"model": "any"})


async def _lose_postgres(world: World) -> None:
    """What stands in the address of the database is in no complaint about it."""
    await world.postgres.off()
    for each in world.processes.values():
        await each.becomes("postgres")
    await world.ask("GET", "/v1/jobs", world.secrets.local_token)
    await world.postgres.on()
    for each in world.processes.values():
        await each.becomes()
