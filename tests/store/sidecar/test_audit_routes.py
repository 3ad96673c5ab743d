"""The audit log over HTTP: pages, the export that verifies offline, and keys."""

import base64
import json
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from coxswain.cli import audit as command
from coxswain.store import audit
from coxswain.store.pool import Store
from tests.support import audit_log, sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

INSTALLATION = audit_log.INSTALLATION


async def written(store: Store, *actions: str, **fields: Any) -> None:
    for action in actions:
        await store.run(audit.write, audit_log.entry(action, **fields))


async def test_pages_go_from_the_newest_to_the_oldest(api: Api, sidecar_store: Store) -> None:
    await written(sidecar_store, "a", "b", "c")
    async with api.user.get("/v1/audit", params={"limit": 2}) as answer:
        first = await answer.json()
    async with api.user.get("/v1/audit", params={"limit": 2, "cursor": first["next"]}) as answer:
        second = await answer.json()
    assert [each["action"] for each in first["items"] + second["items"]] == ["c", "b", "a"]
    assert "next" not in second
    assert first["items"][0]["actor"] == {"kind": "user", "name": "local"}


async def test_a_slice_is_named_by_actor_object_and_action(api: Api, sidecar_store: Store) -> None:
    await written(sidecar_store, "a")
    await written(sidecar_store, "b", workspace="other")
    for params, wanted in [
        ({"workspace": "other"}, ["b"]),
        ({"actor": "user:local", "action": "a"}, ["a"]),
        ({"actor": "agent"}, []),
        ({"object": "Job/nightly"}, ["b", "a"]),
        ({"object": "Lease"}, []),
        ({"since": "2020-01-01T00:00:00Z"}, ["b", "a"]),
        ({"until": "2020-01-01T00:00:00Z"}, []),
    ]:
        async with api.user.get("/v1/audit", params=params) as answer:
            found = (await answer.json())["items"]
        assert [each["action"] for each in found] == wanted, params


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/audit?cursor=x", "query.cursor"),
        ("/v1/audit?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "query.since"),
        ("/v1/audit?since=yesterday", "query.since"),
        ("/v1/audit?outcome=maybe", "query.outcome"),
        ("/v1/audit/export?after=3", "query.after"),
        ("/v1/audit/export?other=3", "query.other"),
    ],
)
async def test_a_bad_question_is_refused_with_its_place(api: Api, path: str, field: str) -> None:
    async with api.user.get(path) as answer:
        problem = await answer.json()
    assert answer.status in (400, 422)
    assert problem["field"] == field


@pytest.mark.parametrize(
    "place",
    [
        "2026-01-01T00:00:00 00000000-0000-0000-0000-000000000007",
        "0001-01-01T00:00:00+14:00 00000000-0000-0000-0000-000000000007",
        "2026-01-01T00:00:00Z seven",
    ],
    ids=["no zone", "before time", "no id"],
)
async def test_a_cursor_that_is_not_ours_is_400(api: Api, place: str) -> None:
    cursor = base64.urlsafe_b64encode(place.encode()).decode()
    async with api.user.get("/v1/audit", params={"cursor": cursor}) as answer:
        problem = await answer.json()
    assert (answer.status, problem["field"]) == (400, "query.cursor")


CALL = {"id": "c1", "name": "read_file", "outcome": "ok"}


@pytest.mark.parametrize("kind", ["run.tool_call", "run.tool_result"])
@pytest.mark.parametrize(
    "details",
    [CALL, {**CALL, "sha256": None, "arguments": None, "text": None, "hash": None}],
    ids=["nothing", "nulls"],
)
async def test_an_agents_event_that_shows_nothing_leaves_the_log_readable(
    api: Api, kind: str, details: dict[str, Any]
) -> None:
    _, _, headers = await api.claimed()
    event = {"id": str(audit_log.entry().id), "seq": 1, "type": kind, "details": details}
    async with api.anybody.post(
        "/v1/run/events", json={"events": [event]}, headers=headers
    ) as answer:
        assert answer.status == 200, await answer.text()
    async with api.user.get("/v1/audit", params={"action": kind}) as answer:
        assert answer.status == 200
        (found,) = (await answer.json())["items"]
    assert (found["id"], found["hashes"]) == (event["id"], {})


async def test_a_row_without_one_of_its_hashes_is_shown(api: Api, sidecar_store: Store) -> None:
    hashes: Any = {"arguments": None, "body": "00"}
    await written(sidecar_store, "a", hashes=hashes)
    async with api.user.get("/v1/audit") as answer:
        assert answer.status == 200
        assert (await answer.json())["items"][0]["hashes"]["body"] == "00"


async def test_an_export_verifies_offline_with_the_published_key(
    api: Api, sidecar_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealing = await audit_log.sealer(api.operator, tmp_path)
    await written(sidecar_store, "a", "b")
    await sealing.once()
    await written(sidecar_store, "c")
    file, keys = tmp_path / "audit.jsonl", tmp_path / "keys.txt"
    async with api.user.get("/v1/audit/keys") as answer:
        items = (await answer.json())["items"]
    keys.write_text("".join(f"{each['publicKey']}\n" for each in items))
    async with api.user.get("/v1/audit/export") as answer:
        assert (answer.status, answer.content_type) == (200, "application/jsonl")
        file.write_bytes(await answer.read())
    assert command.main(["verify", str(file), "--key", str(keys)]) == 0
    assert "rows 2, left out 0, dropped 0, not sealed yet 1" in capsys.readouterr().out
    file.write_text(file.read_text().replace('"action":"a"', '"action":"x"'))
    assert command.main(["verify", str(file), "--key", str(keys)]) == 1


async def test_a_slice_verifies_too_and_says_what_was_asked(
    api: Api, sidecar_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealing = await audit_log.sealer(api.operator, tmp_path)
    await written(sidecar_store, "a", "b")
    await sealing.once()
    file, keys = tmp_path / "audit.jsonl", tmp_path / "keys.txt"
    keys.write_text(audit_log.keys().public.text)
    async with api.user.get("/v1/audit/export?action=b&object=Job/nightly") as answer:
        file.write_bytes(await answer.read())
    assert command.main(["verify", str(file), "--key", str(keys)]) == 0
    said = capsys.readouterr().out
    assert "asked  action=b object=Job/nightly" in said
    assert "rows 1, left out 1" in said


async def test_what_belongs_to_no_workspace_is_asked_for_by_a_dash(
    api: Api, sidecar_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealing = await audit_log.sealer(api.operator, tmp_path)
    await written(sidecar_store, "a")
    await written(sidecar_store, "b", workspace="")
    await sealing.once()
    async with api.user.get("/v1/audit?workspace=-") as answer:
        assert [each["action"] for each in (await answer.json())["items"]] == ["b"]
    whole, own = tmp_path / "whole.jsonl", tmp_path / "own.jsonl"
    keys = tmp_path / "keys.txt"
    keys.write_text(audit_log.keys().public.text)
    for file, query in ((whole, ""), (own, "?workspace=-&after=1")):
        async with api.user.get(f"/v1/audit/export{query}") as answer:
            file.write_bytes(await answer.read())
    words = ["verify", str(own), "--key", str(keys), "--after", str(whole)]
    assert command.main(words) == 0, capsys.readouterr().out
    assert "seals 1, rows 0" in capsys.readouterr().out


def change_token(folder: Path) -> None:
    for file in folder.glob("token-*"):
        file.write_text("another token of this installation")


async def test_an_export_ends_when_its_reader_may_read_no_more(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(database.owner)
    path = "/v1/audit/export?workspace=team"
    running = sidecar_api.running(database, operator_store, tmp_path, again_seconds=0)
    async with running as api:
        async with api.user.get(path) as whole:
            assert "end" in json.loads((await whole.text()).splitlines()[-1])
        # What follows the first line waits for the owner.
        held = owner.transaction()
        await held.start()
        await owner.execute("LOCK TABLE audit_seals IN ACCESS EXCLUSIVE MODE")
        async with api.user.get(path) as cut:
            assert "export" in json.loads(await cut.content.readline())
            change_token(tmp_path)
            await held.rollback()
            with pytest.raises(aiohttp.ClientPayloadError):
                await cut.read()
    await owner.close()


async def test_agents_read_nothing_of_it(api: Api) -> None:
    _, _, headers = await api.claimed()
    for path in ("/v1/audit", "/v1/audit/export", "/v1/audit/keys"):
        async with api.anybody.get(path, headers=headers) as answer:
            assert answer.status == 403
        async with api.anybody.get(path) as answer:
            assert answer.status == 401
