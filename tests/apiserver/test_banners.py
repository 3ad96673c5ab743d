"""What real processes say of themselves in their first lines, and what stands behind it."""

from pathlib import Path

import aiohttp

from coxswain.store.schema import REVISION
from tests.support import whole
from tests.support.leader import Installation
from tests.support.postgres import Database
from tests.support.whole import VERBS
from tests.support.workspace import Workspace

PARTS = {
    "operator": {"sweeper", "listener", "roll_call", "keep_records", "loop"},
    "sidecar": {"tail", "listener", "roll_call", "key_ring", "make_days"},
    "models": {"listener", "roll_call", "key_ring", "verdicts", "backlog"},
    "egress": {"roll_call", "key_ring", "tunnels", "losses"},
    "channels": {"listener", "roll_call", "polling"},
}
"""Some of the parts of each: those that every reader of this page knows."""


async def test_each_process_says_once_what_it_has_started(
    installation: Installation, workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    with whole.running(installation, database, tmp_path) as processes:
        for verb in VERBS:
            role = "leader" if verb == "operator" else "active"
            said = await processes[verb].turns(role)
            assert [each["role"] for each in processes[verb].banners()].count(role) == 1
            assert (said["component"], said["schema"]) == (verb, REVISION)
            assert PARTS[verb] <= set(said["parts"]), said["parts"]
            assert set(said["parts"].values()) == {"running"}
            assert set(said["dependencies"].values()) == {"ok"}, said["dependencies"]
            await _answers(said["ports"])
        assert workspace.namespace in (await processes["operator"].turns("leader"))["workspaces"]


async def test_a_second_operator_says_that_it_stands_by_and_later_that_it_leads(
    installation: Installation, database: Database, tmp_path: Path
) -> None:
    only = ("operator",)
    with whole.running(installation, database, tmp_path, only=only) as first:
        assert await first["operator"].turns("leader")
        two = {"operator": {"identity": "two"}}
        with whole.running(installation, database, tmp_path, two, only=only) as second:
            assert (await second["operator"].says())["role"] == "standby"
            first["operator"].process.terminate()
            assert await second["operator"].turns("leader")


async def test_the_api_tells_of_all_of_them(
    installation: Installation, database: Database, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("a-local-token-of-the-tests")
    given = {"sidecar": {"local_token_file": token}}
    with whole.running(installation, database, tmp_path, given) as processes:
        for verb, each in processes.items():
            await each.turns("leader" if verb == "operator" else "active")
        headers = {"Authorization": "Bearer a-local-token-of-the-tests"}
        async with (
            aiohttp.ClientSession(processes["sidecar"].url, headers=headers) as session,
            session.get("/v1/health") as answer,
        ):
            said = await answer.json()
            assert answer.status == 200, said
    assert said["state"] == "ok", said
    assert {each["name"] for each in said["components"]} == set(VERBS)
    assert all(len(each["replicas"]) == 1 for each in said["components"])


async def _answers(ports: dict[str, int]) -> None:
    """Each port that a banner names is open."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{ports['health']}/healthz") as answer:
            assert answer.status == 200
        for name in ports.keys() - {"health"}:
            async with session.get(f"http://127.0.0.1:{ports[name]}/") as answer:
                assert answer.status >= 400
