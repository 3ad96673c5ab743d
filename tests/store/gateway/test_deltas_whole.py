"""What a model says reaches the client of the Job's stream while it is said: provider, gateway, two APIs, client."""

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute
from coxswain.store import deltas, events, runs, sessions
from coxswain.store.runs import NewRun
from tests.store.gateway.test_whole import CANARY, SECRET, Platform
from tests.store.gateway.test_whole import platform as platform
from tests.support import provider, rows, sidecar_api
from tests.support.agents import AgentProcess
from tests.support.event_streams import reading
from tests.support.measured import value
from tests.support.provider import Say

TEXT = " ".join(f"word{number}" for number in range(40)) + ': "so\nit ends", she said - 終.'
TOLD = "coxswain_model_deltas_total"


@asynccontextmanager
async def watchers(platform: Platform) -> AsyncIterator[asyncio.Event]:
    """Once the gateway and both APIs listen: an event that is set when one says that a Job is watched."""
    session = await asyncpg.connect(platform.database.admin)
    # The channel on which a process hears itself is the last that it listens to.
    statement = (
        "SELECT count(*) FILTER (WHERE starts_with(application_name, $2)) >= 1"
        " AND count(*) FILTER (WHERE starts_with(application_name, $3)) >= 2"
        " FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'LISTEN%echo%'"
    )
    wanted = (sessions.name("models", ""), sessions.name("sidecar", ""))
    try:
        async with asyncio.timeout(10):
            while not await session.fetchval(statement, platform.database.name, *wanted):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        heard = asyncio.Event()
        await session.add_listener(deltas.WATCHED, lambda *_said: heard.set())
        yield heard
    finally:
        await session.close()


async def opened(platform: Platform, server: provider.Provider) -> NewRun:
    """A run of the Job "first" that asks this provider."""
    url = f"{server.url}/v1"
    data = {"apiKey": CANARY, "baseURLs": url}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    platform.cluster.secrets[SECRET] = {"type": "coxswain.dev/provider", "data": encoded}
    await platform.start(url)
    route = ModelRoute(
        alias="main", provider=Provider.OPENAI, model="m", base_url=url, secret_name="key"
    )
    new = rows.new_run()
    document = new.document.model_copy(update={"models": [route], "prompt": "Say it."})
    new = dataclasses.replace(new, document=document)
    await platform.operator.transact(runs.open_run, new)
    return new


async def done(platform: Platform, new: NewRun) -> None:
    """Let a real agent process do the run, and end the Job."""
    run = f"{new.key.job_uid}/{new.key.attempt}"
    token = platform.cluster.token(rows.pod(name=new.pod_name))
    agent = AgentProcess(platform.folder, platform.api_url, platform.models_url, run, token=token)
    code, said = await agent.finish()
    assert code == 0, said
    about = {"uid": new.key.job_uid, "workspace": "team", "kind": "Job", "name": "first"}
    await platform.operator.run(events.append, [rows.event("job.succeeded", **about)])


async def test_a_client_at_another_replica_reads_the_answer_while_it_is_said(
    platform: Platform,
) -> None:
    path = "/v1/workspaces/team/jobs/first/stream"
    async with provider.Provider() as server:
        server.will(Say(TEXT, pause_seconds=0.03))
        new = await opened(platform, server)
        other = await platform.stack.enter_async_context(
            sidecar_api.running(platform.database, platform.operator, platform.folder)
        )
        await other.mirrored("first", phase="Running", uid=new.key.job_uid)
        async with watchers(platform) as heard, reading(other.user, path) as reader:
            await asyncio.wait_for(heard.wait(), 10)
            work = asyncio.create_task(done(platform, new))
            found = await reader.rest()
            await work
    said = [each for each in found if each.name == "delta"]
    kinds = ["delta" if each.name == "delta" else each.data["type"] for each in found]
    answer = next(each for each in found if each.data.get("type") == "run.answer")
    assert len(said) >= 3
    assert max(place for place, kind in enumerate(kinds) if kind == "delta") < kinds.index(
        "run.answer"
    )
    assert "".join(each.data["text"] for each in said) == TEXT == answer.data["details"]["text"]
    # They have no place in the log, and none of them is in it.
    assert {each.position for each in said} == {None}
    assert len({each.data["call"] for each in said}) == 1
    log = await platform.operator.run(events.after, 0, events.Filter(uid=new.key.job_uid))
    assert [each.event.type for each in log.events] == [kind for kind in kinds if kind != "delta"]


async def test_nothing_is_told_where_nobody_watches(platform: Platform) -> None:
    before = value(TOLD, outcome="told"), value(TOLD, outcome="dropped")
    async with provider.Provider() as server:
        server.will(Say(TEXT))
        new = await opened(platform, server)
        await done(platform, new)
    assert (value(TOLD, outcome="told"), value(TOLD, outcome="dropped")) == before
