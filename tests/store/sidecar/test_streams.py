from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from coxswain.store import events, partitions, uuid7
from coxswain.store.mirror import ObjectRow
from coxswain.store.pool import Connection, Store
from tests.support.event_streams import LIVE, Reader, reading
from tests.support.measured import value
from tests.support.postgres import Database, opened
from tests.support.rows import event
from tests.support.sidecar_api import Api, running


def stream(api: Api, path: str, after: int | None = None) -> AbstractAsyncContextManager[Reader]:
    return reading(api.user, path, after)


async def append(api: Api, *kinds: str, **fields: Any) -> int:
    batch = [event(kind, **fields) for kind in kinds]
    return (await api.operator.run(events.append, batch)).last_position


async def ended_job(api: Api) -> ObjectRow:
    """A Job that ran and succeeded, with its events at 1 to 5."""
    row = await api.mirrored("first", phase="Succeeded")
    about = {"uid": row.uid, "workspace": "team", "kind": "Job", "name": "first"}
    await append(api, "job.created", "job.running", **about)
    for text in ("one\n", "two\n"):
        await append(
            api, "run.output", **about, attempt=1, details={"stream": "stdout", "text": text}
        )
    await append(api, "job.succeeded", **about)
    return row


async def page(api: Api, query: str) -> dict[str, Any]:
    async with api.user.get(f"/v1/events?{query}") as answer:
        found: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == 200, found
        return found


async def refusal(api: Api, query: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    async with api.user.get(f"/v1/events?{query}", headers=headers) as answer:
        return answer.status, (await answer.json(content_type=None))["code"]


async def test_people_append_events_once_and_read_them(api: Api) -> None:
    given = event()
    body = {
        "events": [
            {
                "id": str(given.id),
                "type": "user.note",
                "workspace": "team",
                "kind": "Job",
                "name": "first",
                "details": {"text": "look"},
            }
        ]
    }
    for accepted in (1, 0):
        async with api.user.post("/v1/events", json=body) as answer:
            assert (await answer.json())["accepted"] == accepted
    found = (await page(api, "after=0"))["events"]
    assert len(found) == 1
    assert {key: found[0][key] for key in ("id", "type", "actor", "workspace", "details")} == {
        "id": str(given.id),
        "type": "user.note",
        "actor": "user:local",
        "workspace": "team",
        "details": {"text": "look"},
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "job.succeeded"}, "events.0.type"),
        ({"type": "user"}, "events.0.type"),
        ({"id": "8f14e45f-ceea-467f-a0e6-000000000000"}, "events.0.id"),
        ({"actor": "operator"}, "events.0.actor"),
    ],
)
async def test_people_append_only_what_is_theirs(
    api: Api, change: dict[str, str], field: str
) -> None:
    given = {"id": str(event().id), "type": "user.note"} | change
    async with api.user.post("/v1/events", json={"events": [given]}) as answer:
        body = await answer.json(content_type=None)
    assert (answer.status, body["field"]) == (422, field)


async def test_pages_filter_and_go_on(api: Api) -> None:
    row = await ended_job(api)
    await append(api, "user.note", workspace="other")
    first = await page(api, "limit=4")
    second = await page(api, f"limit=4&after={first['next']}")
    kinds = [each["type"] for each in (*first["events"], *second["events"])]
    assert kinds[0] == "job.created"
    assert len(kinds) == 6
    assert (first["more"], second["more"]) == (True, False)

    async def positions(query: str) -> list[int]:
        return [each["position"] for each in (await page(api, query))["events"]]

    assert await positions("type=job.") == [1, 2, 5]
    assert await positions("workspace=other") == [6]
    assert await positions(f"job={row.uid}&attempt=1") == [3, 4]
    assert await positions("job=first&workspace=team&type=job.succeeded") == [5]


async def test_garbage_and_the_future_are_refused(api: Api) -> None:
    await append(api, "user.note")
    assert await refusal(api, "after=99") == (400, "position_unknown")
    assert (await refusal(api, "after=-1"))[0] == 422
    assert (await refusal(api, "after=x"))[0] == 422
    assert (await refusal(api, "job=first"))[0] == 422
    assert (await refusal(api, "job=none&workspace=team"))[0] == 404
    for garbage in ("x", "-1", "1.5", "9" * 40, "\u0663"):
        assert (await refusal(api, "", LIVE | {"Last-Event-ID": garbage}))[0] == 400
    assert await refusal(api, "", LIVE | {"Last-Event-ID": "99"}) == (400, "position_unknown")


async def test_a_stream_gives_what_comes_next(api: Api) -> None:
    await append(api, "user.before")
    async with stream(api, "/v1/events") as reader:
        await append(api, "user.one", "user.two")
        frames = await reader.take(2)
        await append(api, "user.three")
        frames += await reader.take(1)
    assert [(each.position, each.data["type"]) for each in frames] == [
        (2, "user.one"),
        (3, "user.two"),
        (4, "user.three"),
    ]


async def test_the_lag_of_a_stream_is_told_of_what_is_new_and_not_of_what_is_replayed(
    api: Api,
) -> None:
    name = "coxswain_stream_lag_seconds_count"
    await append(api, "user.before")
    async with stream(api, "/v1/events?after=0") as reader:
        await reader.take(1)
    before = value(name)
    async with stream(api, "/v1/events?after=0") as reader:
        await reader.take(1)
        assert value(name) == before
        await append(api, "user.now")
        await reader.take(1)
    assert value(name) == before + 1


async def test_a_reader_comes_back_at_any_place_without_gap_or_repeat(api: Api) -> None:
    await append(api, *(f"user.n{n}" for n in "abcdef"))
    for place in range(7):
        async with stream(api, "/v1/events?after=0", after=place) as reader:
            frames = await reader.take(6 - place)
        assert [each.position for each in frames] == list(range(place + 1, 7))


async def test_two_processes_give_the_same_stream(
    api: Api, database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with (
        running(database, operator_store, tmp_path) as other,
        stream(api, "/v1/events?after=0") as here,
        stream(other, "/v1/events?after=0") as there,
    ):
        await append(api, "user.one", "user.two")
        assert [each.position for each in await here.take(2)] == [1, 2]
        assert [each.position for each in await there.take(2)] == [1, 2]


async def test_a_filtered_stream_gives_only_what_passes(api: Api) -> None:
    async with stream(api, "/v1/events?after=0&type=user.&workspace=team") as reader:
        await append(api, "user.a", "job.queued", workspace="team")
        await append(api, "user.b", workspace="other")
        await append(api, "user.c", workspace="team")
        frames = await reader.take(2)
    assert [each.data["type"] for each in frames] == ["user.a", "user.c"]


async def test_a_lost_position_gets_the_marker_and_then_what_is_kept(
    api: Api, database: Database
) -> None:
    await append(api, "user.a", "user.b")
    connection = await asyncpg.connect(database.owner)
    await connection.execute("UPDATE event_head SET timeline = timeline + 1")
    await connection.close()
    last = await append(api, "user.c")
    async with stream(api, "/v1/events", after=7) as reader:
        marker, after = await reader.take(2)
    found = await page(api, "after=7")
    assert (marker.name, marker.data) == ("resync", {"oldest": 1, "head": last})
    assert (after.position, after.data["type"]) == (last, "user.c")
    assert found["resync"] == {"oldest": 1, "head": last}
    assert [each["position"] for each in found["events"]] == [last]


async def test_a_job_is_followed_from_its_beginning_to_its_end(api: Api) -> None:
    row = await api.mirrored("first", phase="Running")
    about = {"uid": row.uid, "workspace": "team", "kind": "Job", "name": "first"}
    await append(api, "job.created", **about)
    async with stream(api, "/v1/workspaces/team/jobs/first/stream") as reader:
        assert (await reader.take(1))[0].name == "status"
        await append(api, "user.elsewhere")
        await append(api, "run.output", **about, details={"stream": "stdout", "text": "hello"})
        await append(api, "run.answer", **about)
        await append(api, "job.succeeded", **about)
        frames = await reader.rest()
    assert [(each.name, each.data["type"]) for each in frames] == [
        ("log", "run.output"),
        ("event", "run.answer"),
        ("status", "job.succeeded"),
    ]


async def test_a_job_that_ended_is_replayed_and_then_there_is_nothing_more(api: Api) -> None:
    await ended_job(api)
    path = "/v1/workspaces/team/jobs/first/stream"
    async with stream(api, path, after=3) as reader:
        frames = await reader.rest()
    assert [each.position for each in frames] == [4, 5]
    async with api.user.get(path, headers={"Last-Event-ID": "5"}) as answer:
        assert answer.status == 204


async def test_the_stream_of_a_job_has_no_mark_of_days_that_were_dropped_before_it(
    api: Api, database: Database
) -> None:
    now = datetime.now(UTC)
    async with opened(database.owner) as owner:
        await owner.transact(partitions.make, (now - timedelta(days=20)).date())
        await append(api, "user.note", id=uuid7.new(now - timedelta(days=20)))
        await ended_job(api)
        assert await owner.run(_drop_before, now) > 0
    async with stream(api, "/v1/workspaces/team/jobs/first/stream") as reader:
        frames = await reader.rest()
    assert [each.name for each in frames] == ["status", "status", "log", "log", "status"]


async def _drop_before(connection: Connection, day: datetime) -> int:
    dropped: int = await connection.fetchval("SELECT drop_event_days($1)", day.date())
    return dropped


async def test_what_names_a_job_in_another_workspace_is_neither_in_its_stream_nor_in_its_log(
    api: Api,
) -> None:
    row = await ended_job(api)
    forged = {"uid": row.uid, "workspace": "other", "kind": "Job", "name": "first"}
    output = {"stream": "stdout", "text": "forged\n"}
    await append(api, "run.output", **forged, attempt=1, details=output)
    await append(api, "user.note", "job.failed", **forged)
    path = "/v1/workspaces/team/jobs/first"
    async with api.user.get(f"{path}/stream", headers={"Last-Event-ID": "5"}) as answer:
        assert answer.status == 204
    async with stream(api, f"{path}/stream") as reader:
        frames = await reader.rest()
    assert [each.position for each in frames] == [1, 2, 3, 4, 5]
    async with api.user.get(f"{path}/log") as answer:
        assert await answer.text() == "one\ntwo\n"


async def test_a_stream_of_a_job_that_runs_gives_nothing_of_another_workspace(api: Api) -> None:
    row = await api.mirrored("first", phase="Running")
    about = {"uid": row.uid, "kind": "Job", "name": "first"}
    async with stream(api, "/v1/workspaces/team/jobs/first/stream") as reader:
        await append(api, "user.note", "job.deleted", **about, workspace="other")
        await append(api, "job.succeeded", **about, workspace="team")
        frames = await reader.rest()
    assert [each.data["type"] for each in frames] == ["job.succeeded"]


async def test_a_file_of_a_run_is_read_back(api: Api) -> None:
    new, _, headers = await api.claimed()
    await api.mirrored("first", uid=new.key.job_uid)
    async with api.anybody.put(
        "/v1/run/artifacts/page.html",
        data=b"<html>",
        headers=headers | {"Content-Type": "text/html"},
    ):
        pass
    path = "/v1/workspaces/team/jobs/first/artifacts"
    async with api.user.get(f"{path}/page.html") as answer:
        assert await answer.read() == b"<html>"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"] == "attachment"
    async with api.user.get(f"{path}/other") as answer:
        assert answer.status == 404


async def test_streams_are_bounded(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with (
        running(database, operator_store, tmp_path, streams=1) as api,
        stream(api, "/v1/events"),
    ):
        assert await refusal(api, "", LIVE) == (503, "too_many_streams")


async def test_a_stream_ends_when_the_process_does(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with aiohttp.ClientSession() as session:
        async with running(database, operator_store, tmp_path) as api:
            answer = await session.get(
                f"{api.url}/v1/events", headers=LIVE | dict(api.user.headers)
            )
            assert answer.status == 200
        assert await Reader(answer).rest() == []


async def test_a_reader_that_reads_nothing_holds_up_nobody(api: Api) -> None:
    large = {"text": "x" * 100_000}
    async with stream(api, "/v1/events?after=0"), stream(api, "/v1/events?after=0") as awake:
        for _ in range(150):
            await append(api, "user.large", details=large)
            assert len(await awake.take(1)) == 1


async def test_streams_go_on_when_connections_to_the_database_were_lost(
    api: Api, database: Database
) -> None:
    async with stream(api, "/v1/events?after=0") as reader:
        await append(api, "user.a")
        await reader.take(1)
        connection = await asyncpg.connect(database.admin)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND pid <> pg_backend_pid()",
            database.name,
        )
        await connection.close()
        await append(api, "user.b")
        assert [each.data["type"] for each in await reader.take(1)] == ["user.b"]
