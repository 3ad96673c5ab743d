"""How much of the log is read to find or to drop a little of it."""

from typing import Any

import pytest

from coxswain.store import audit, pool
from coxswain.store.audit import Query

UID = "0198f0a0-0000-4000-8000-000000000001"
READ = (
    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
    " WHERE relid = $1::text::regclass"
)


async def seals(owner: Any, workspace: str, first: int, last: int, *, dropped: bool) -> None:
    """Old seals of a workspace, with these numbers."""
    await owner.execute(
        "INSERT INTO audit_seals SELECT $1, n, '', '', 1, '', now() - interval '9 days', '', '', '', '',"
        " CASE WHEN $4 THEN now() END FROM generate_series($2::int, $3::int) AS n",
        workspace,
        first,
        last,
        dropped,
    )


async def kept(owner: Any) -> list[tuple[str, int]]:
    """The oldest seal of each workspace that was not dropped."""
    rows = await owner.fetch(
        "SELECT workspace, min(number) AS first FROM audit_seals WHERE dropped_at IS NULL"
        " GROUP BY workspace ORDER BY workspace"
    )
    return [(row["workspace"], row["first"]) for row in rows]


async def test_dropping_goes_from_workspace_to_workspace_and_reads_no_seal_that_was_dropped(
    owner: Any,
) -> None:
    await seals(owner, "a", 1, 5000, dropped=True)
    await seals(owner, "a", 5001, 5005, dropped=False)
    await seals(owner, "b", 1, 3000, dropped=False)
    await seals(owner, "c", 1, 3000, dropped=False)
    await owner.execute("ANALYZE audit_seals")
    async with owner.transaction():
        await owner.execute("SELECT drop_audit(now() - interval '5 days', 20)")
        assert await owner.fetchval(READ, "audit_seals") < 500
    assert await kept(owner) == [("b", 16), ("c", 1)]
    told = await owner.fetch(
        "SELECT workspace, details::text AS text FROM audit ORDER BY workspace"
    )
    assert [row["workspace"] for row in told] == ["a", "b"]
    assert '"last": 15' in told[1]["text"]


@pytest.mark.parametrize(
    "query",
    [
        Query(object_uid=UID),
        Query(action="cancel_job"),
        Query(actor_kind="user", actor_name="ada"),
        Query(actor_kind="user"),
        Query(object_kind="Lease", object_name="deploy"),
        Query(object_kind="Lease"),
    ],
    ids=["uid", "action", "actor", "kind of actor", "object", "kind of object"],
)
async def test_a_little_of_the_log_is_found_without_reading_the_rest(
    owner: Any, query: Query
) -> None:
    await pool.prepare(owner)
    await owner.execute(
        "INSERT INTO audit (id, outcome, actor_kind, actor_name, action, object_kind, object_name,"
        " object_uid) SELECT gen_random_uuid(), 'done', 'agent', 'team/reader', 'run.tool_call', 'Job',"
        " 'j' || n, n::text FROM generate_series(1, 5000) AS n"
    )
    await owner.execute(
        "INSERT INTO audit (id, outcome, actor_kind, actor_name, action, object_kind, object_name,"
        " object_uid) VALUES (gen_random_uuid(), 'done', 'user', 'ada', 'cancel_job', 'Lease', 'deploy',"
        " $1)",
        UID,
    )
    await owner.execute("ANALYZE audit")
    async with owner.transaction():
        found = await audit.page(owner, query)
        assert len(found.rows) == 1
        assert await owner.fetchval(READ, "audit") < 100
