from datetime import UTC, datetime, timedelta

import pytest

from coxswain.errors import CoxswainError, UserError
from coxswain.store import events, keys, mirror, runs, usage, uuid7, verdicts, wakes
from coxswain.store.keys import IssuerKeys
from coxswain.store.mirror import Query
from coxswain.store.pool import Connection, Store
from coxswain.store.usage import Call
from coxswain.store.verdicts import Verdict
from tests.support.postgres import Database, opened
from tests.support.rows import event, job, new_run

NOW = datetime.now(UTC)


async def test_an_object_and_its_events_are_kept_together(operator_store: Store) -> None:
    row = job(version=5, phase="Running")
    await operator_store.transact(mirror.write, [row], [event("job.running")])
    assert await operator_store.run(mirror.get, "Job", "team", "first") == row
    assert len((await operator_store.run(events.after, 0)).events) == 1


async def test_events_that_cannot_be_kept_leave_the_object_unwritten(
    operator_store: Store,
) -> None:
    with pytest.raises(UserError):
        await operator_store.transact(mirror.write, [job()], [event(details={"text": "\x00"})])
    assert await operator_store.run(mirror.get, "Job", "team", "first") is None


async def test_the_mirror_never_goes_back_to_an_older_version(operator_store: Store) -> None:
    newer = job(version=10, phase="Running")
    older = job(version=9, uid=newer.uid, phase="Queued")
    await operator_store.transact(mirror.write, [older, newer, older], [])
    await operator_store.transact(mirror.write, [older], [])
    kept = await operator_store.run(mirror.get, "Job", "team", "first")
    assert kept is not None
    assert (kept.resource_version, kept.phase) == ("10", "Running")


async def test_live_names_the_version_of_each_object_for_a_comparison(
    operator_store: Store,
) -> None:
    first, second, gone = job("first", 3), job("second", 4, workspace="other"), job("gone")
    await operator_store.transact(mirror.write, [first, second, gone], [])
    await operator_store.transact(mirror.mark_deleted, [gone.uid], [])
    everything = await operator_store.run(mirror.live, "Job")
    assert everything == {first.uid: "3", second.uid: "4"}
    assert await operator_store.run(mirror.live, "Job", ["other"]) == {second.uid: "4"}
    assert await operator_store.run(mirror.live, "Agent") == {}


async def test_a_deleted_object_is_not_listed_its_runs_are_closed_and_its_row_stays(
    operator_store: Store,
) -> None:
    row = job()
    new = new_run(row.uid)
    await operator_store.transact(mirror.write, [row], [])
    await operator_store.transact(runs.open_run, new)
    await operator_store.transact(mirror.mark_deleted, [row.uid], [event("job.deleted")])
    assert await operator_store.run(mirror.get, "Job", "team", "first") is None
    kept = await operator_store.run(mirror.by_uid, row.uid)
    run = await operator_store.run(runs.of, new.key)
    assert kept is not None
    assert kept.deleted_at is not None
    assert run is not None
    assert run.closed_reason == "Deleted"


async def test_of_two_namesakes_the_newer_is_the_one(operator_store: Store) -> None:
    vanished = job("same", created_at=NOW - timedelta(hours=1))
    standing = job("same", created_at=NOW)
    await operator_store.transact(mirror.write, [vanished, standing], [])
    kept = await operator_store.run(mirror.get, "Job", "team", "same")
    assert kept is not None
    assert kept.uid == standing.uid


async def test_lists_go_page_by_page_newest_first_and_filter(operator_store: Store) -> None:
    rows = [
        job(
            f"n{n}",
            created_at=NOW + timedelta(seconds=n // 2),
            phase="Queued" if n % 2 else "Running",
            spec={"agentRef": {"name": "reader" if n < 3 else "writer"}},
        )
        for n in range(7)
    ]
    await operator_store.transact(mirror.write, rows, [])
    seen: list[str] = []
    cursor = None
    while True:
        page = await operator_store.run(mirror.page, Query("Job"), cursor, limit=3)
        seen.extend(each.name for each in page.objects)
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == [f"n{n}" for n in range(7)]
    assert [int(name[1:]) // 2 for name in seen] == [3, 2, 2, 1, 1, 0, 0]

    async def listed(query: Query) -> set[str]:
        page = await operator_store.run(mirror.page, query)
        return {each.name for each in page.objects}

    assert await listed(Query("Job", phase="Queued")) == {"n1", "n3", "n5"}
    assert await listed(Query("Job", agent="reader", phase="Queued")) == {"n1"}
    assert await listed(Query("Job", workspaces=["other"])) == set()


async def test_the_jobs_of_a_queue_are_found_by_an_index_and_not_by_looking_at_all(
    database: Database, operator_store: Store
) -> None:
    rows = [
        job(
            f"n{n}",
            created_at=NOW + timedelta(seconds=n),
            spec={"queue": "nightly"} if n % 100 == 0 else {},
        )
        for n in range(3000)
    ]
    await operator_store.transact(mirror.write, rows, [])
    page = await operator_store.run(mirror.page, Query("Job", queue="nightly"), limit=10)
    assert [each.name for each in page.objects] == [f"n{n}" for n in range(2900, 1900, -100)]
    rest = await operator_store.run(mirror.page, Query("Job", queue="nightly"), page.next)
    assert len(rest.objects) == 20
    query = Query("Job", queue="nightly", workspaces=["team"])

    async def plan(connection: Connection) -> str:
        given = ["Job", ["team"], None, None, None, None, 10, "nightly"]
        found = await connection.fetch(f"EXPLAIN {mirror.page_statement(query)}", *given)
        return "\n".join(row[0] for row in found)

    async with opened(database.owner) as store:
        await store.run(_analyze)
    assert "mirror_by_queue" in await operator_store.run(plan)


async def _analyze(connection: Connection) -> None:
    await connection.execute("ANALYZE mirror")


async def test_a_verdict_wakes_the_operator_only_when_it_says_something_new(
    gateway_store: Store,
) -> None:
    agent = job().uid
    good = Verdict(agent, "team", "reader", 1, True, "Ready")
    bad = Verdict(agent, "team", "reader", 2, False, "CredentialsMissing", "no Secret 'key'")
    assert await gateway_store.transact(verdicts.put, good)
    assert not await gateway_store.transact(verdicts.put, good)
    assert await gateway_store.transact(verdicts.put, bad)
    assert not await gateway_store.transact(verdicts.put, good)
    standing = await gateway_store.run(verdicts.of, [agent])
    waiting = await gateway_store.run(wakes.unhandled)
    assert standing == {agent: bad}
    assert [(each.kind, each.name) for each in waiting] == [("Agent", "reader")]


async def test_the_row_of_a_model_call_is_written_once(gateway_store: Store) -> None:
    call = Call(
        id=uuid7.new(NOW),
        workspace="team",
        agent_name="reader",
        job_uid=job().uid,
        attempt=1,
        alias="default",
        provider="demo",
        model="demo",
        milliseconds=12,
        streamed=True,
        outcome="ok",
        input_tokens=10,
        output_tokens=20,
    )
    for _ in range(2):
        await gateway_store.run(usage.record, call)
    assert await gateway_store.run(usage.of_job, call.job_uid) == [call]


async def test_keys_that_the_cluster_took_back_are_trusted_no_more(sidecar_store: Store) -> None:
    assert await sidecar_store.run(keys.kept) is None
    first = IssuerKeys("https://issuer", {"a": {"kty": "RSA"}, "b": {"kty": "RSA"}})
    second = IssuerKeys("https://issuer", {"b": {"kty": "EC"}, "c": {"kty": "RSA"}})
    for found in (first, second):
        await sidecar_store.transact(keys.replace, found)
    assert await sidecar_store.run(keys.kept) == second


REFUSED = {
    "operator": [
        "INSERT INTO verdicts VALUES (gen_random_uuid(), '', '', 1, true, '')",
        "DELETE FROM runs",
        "DELETE FROM mirror",
        "INSERT INTO artifacts VALUES (gen_random_uuid(), 1, 'a', 'b', 'c', 1, '')",
        "INSERT INTO issuer_keys VALUES ('i', 'k', '{}')",
        "INSERT INTO usage (id) VALUES (gen_random_uuid())",
        "UPDATE schema_info SET min_version = 0",
        "CREATE TABLE mine (x integer)",
        "SELECT make_event_days(current_date, current_date)",
        "UPDATE deliveries SET state = 'Delivered'",
        "DELETE FROM deliveries",
        "INSERT INTO delivery_tries VALUES (gen_random_uuid(), 1, now(), 1)",
        "UPDATE artifact_objects SET state = 'Doomed'",
        "DELETE FROM artifact_objects",
        "UPDATE egress_amounts SET bytes = 0",
        "DELETE FROM usage",
    ],
    "sidecar": [
        "UPDATE leadership SET epoch = 99",
        "UPDATE runs SET token = 99",
        "UPDATE runs SET closed_at = NULL",
        "UPDATE runs SET cancel_requested = false",
        "INSERT INTO runs (job_uid, attempt) VALUES (gen_random_uuid(), 1)",
        "DELETE FROM runs",
        "INSERT INTO mirror (uid) VALUES (gen_random_uuid())",
        "UPDATE mirror SET phase = 'Succeeded'",
        "UPDATE artifacts SET content = ''",
        "DELETE FROM wakes",
        "INSERT INTO usage (id) VALUES (gen_random_uuid())",
        "UPDATE verdicts SET ready = true",
        "INSERT INTO deliveries (id) VALUES (gen_random_uuid())",
        "UPDATE deliveries SET url = 'https://elsewhere.example'",
        "DELETE FROM deliveries",
        "DELETE FROM delivery_tries",
        "CREATE TABLE mine (x integer)",
        "UPDATE artifact_objects SET key = 'other'",
        "UPDATE egress_amounts SET bytes = 0",
        "SELECT drop_gone_files(now(), 1)",
        "SELECT drop_gone_objects(now(), 1)",
        "SELECT drop_ended_deliveries(now(), 1)",
        "SELECT drop_usage(now(), 1)",
    ],
    "gateway": [
        "UPDATE leadership SET epoch = 99",
        "UPDATE runs SET result = NULL",
        "UPDATE runs SET pod_uid = NULL",
        "INSERT INTO runs (job_uid, attempt) VALUES (gen_random_uuid(), 1)",
        "UPDATE mirror SET phase = 'Succeeded'",
        "INSERT INTO artifacts VALUES (gen_random_uuid(), 1, 'a', 'b', 'c', 1, '')",
        "UPDATE usage SET input_tokens = 0",
        "DELETE FROM usage",
        "DELETE FROM wakes",
        "INSERT INTO deliveries (id) VALUES (gen_random_uuid())",
        "UPDATE deliveries SET body = '{}'",
        "UPDATE deliveries SET url = 'https://elsewhere.example'",
        "DELETE FROM deliveries",
        "UPDATE delivery_tries SET status = 200",
        "INSERT INTO artifact_objects (key, bucket) VALUES ('k', 'b')",
        "DELETE FROM egress_amounts",
        "SELECT drop_gone_files(now(), 1)",
        "SELECT drop_gone_objects(now(), 1)",
    ],
}


@pytest.mark.parametrize(
    ("role", "statement"), [(role, each) for role in REFUSED for each in REFUSED[role]]
)
async def test_each_role_may_do_only_what_its_process_does(
    module_database: Database, role: str, statement: str
) -> None:
    async with opened(getattr(module_database, role)) as store:

        async def attempt(connection: Connection) -> None:
            await connection.execute(statement)

        with pytest.raises(CoxswainError, match="42501"):
            await store.transact(attempt)


async def test_open_runs_of_jobs_that_were_never_mirrored_are_found_and_closed(
    operator_store: Store,
) -> None:
    known, unknown, over = job("known"), new_run(job_name="unknown"), new_run()
    await operator_store.transact(mirror.write, [known], [])
    for each in (new_run(known.uid), unknown, over):
        await operator_store.transact(runs.open_run, each)
    await operator_store.transact(runs.close_run, over.key, "Succeeded", knows_result=False)
    (found,) = await operator_store.run(runs.unmirrored)
    assert found == (unknown.key.job_uid, "team", "unknown")
    assert await operator_store.run(runs.unmirrored, ["team"]) == (found,)
    assert await operator_store.run(runs.unmirrored, ["other"]) == ()
    await operator_store.transact(mirror.mark_deleted, [found.job_uid], [])
    row = await operator_store.run(runs.of, unknown.key)
    assert row is not None
    assert row.closed_reason == "Deleted"
    assert await operator_store.run(runs.unmirrored) == ()
