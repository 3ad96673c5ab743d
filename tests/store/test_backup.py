"""A backup is one snapshot that is checked, and a restore brings it back whole or changes nothing."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from coxswain.errors import UnavailableError
from coxswain.store import events, migrate, mirror, runs, schema
from coxswain.store.events import Resync
from tests.support.backup import PROGRAM, Backups
from tests.support.leases import ANN, BOB, Leases
from tests.support.postgres import Database, Server, opened
from tests.support.rows import event, job, new_run

TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    " AND NOT relispartition AND relname NOT IN ('event_head', 'leases', 'running_processes') ORDER BY 1"
)
GRANTS = (
    "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants"
    " WHERE table_schema = 'public' AND grantee <> grantor ORDER BY 1, 2, 3"
)


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path)


@pytest.fixture
def places(postgres: Server) -> Iterator[tuple[Database, Database]]:
    """Two databases without any table."""
    made = postgres.create(migrated=False), postgres.create(migrated=False)
    yield made
    for each in made:
        postgres.drop(each)


@pytest.fixture
def place(places: tuple[Database, Database]) -> Database:
    """One of them."""
    return places[0]


async def _fill(database: Database) -> None:
    async with opened(database.operator) as operator, opened(database.sidecar) as sidecar:
        await sidecar.run(events.append, [event(), event()])
        await operator.transact(mirror.write, [job()], [])
        await operator.transact(runs.open_run, new_run())
        leases = Leases(operator, sidecar)
        await leases.has()
        await leases.takes(ANN)


async def _all(database: Database, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(database.owner)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def _do(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.owner)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _rows(database: Database) -> dict[object, list[tuple[object, ...]]]:
    found = {}
    for (table,) in await _all(database, TABLES):
        found[table] = await _all(database, f"SELECT t::text FROM {table} AS t ORDER BY 1")  # noqa: S608 - a table's name
    return found


def _manifest(backup: bytes) -> dict[str, object]:
    with tarfile.open(fileobj=io.BytesIO(backup)) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        said: dict[str, object] = json.load(manifest)
    return said


async def test_every_row_and_every_right_comes_back_and_the_roles_go_on(
    database: Database, place: Database, backups: Backups
) -> None:
    await _fill(database)
    backups.restore(place, backups.make(database))
    rows = await _rows(database)
    assert await _rows(place) == rows
    assert len(rows["events"]) == 3
    assert await _all(place, GRANTS) == await _all(database, GRANTS)
    async with opened(place.sidecar) as sidecar:
        await sidecar.run(schema.require)
        await sidecar.run(events.append, [event()])
    assert await migrate.upgrade(place.owner) == schema.REVISION


async def test_a_backup_says_what_it_holds_and_is_one_snapshot(
    database: Database, backups: Backups
) -> None:
    await _fill(database)
    said = _manifest(backups.make(database))
    assert (said["revision"], said["position"], said["largestToken"]) == (schema.REVISION, 3, 1)
    assert said["objects"] == {"Job": 1}
    assert {"madeAt", "server", "minVersion", "epoch", "rows"} <= said.keys()


async def test_a_reader_of_what_was_lost_is_told_and_no_position_comes_twice(
    database: Database, place: Database, backups: Backups
) -> None:
    async with opened(database.sidecar) as store:
        await store.run(events.append, [event(), event()])
        backup = backups.make(database)
        lost = await store.run(events.append, [event(), event(), event()])
    assert lost.last_position == 5
    backups.restore(place, backup)
    async with opened(place.sidecar) as store:
        for position in (3, 4, 5):
            assert isinstance(await store.run(events.locate, position), Resync)
        assert await store.run(events.locate, 1) is None
        appended = await store.run(events.append, [event()])
        assert appended.last_position > 2 + 2**32
        page = await store.run(events.after, 0)
    assert [each.position for each in page.events] == [1, 2, appended.last_position]


async def test_two_restores_of_one_backup_give_no_position_and_no_token_twice(
    database: Database, places: tuple[Database, Database], backups: Backups
) -> None:
    await _fill(database)
    backup = backups.make(database)
    positions, tokens = [3], [1]
    for restored in places:
        backups.restore(restored, backup)
        async with opened(restored.operator) as operator, opened(restored.sidecar) as sidecar:
            leases = Leases(operator, sidecar)
            await leases.lets_go(ANN, 1)
            with pytest.raises(UnavailableError, match="restored"):
                await leases.takes(BOB)
            # The object was lost too: it is made anew, and its status says nothing.
            await leases.has(uid=str(uuid4()))
            taken = await leases.takes(BOB)
            appended = await sidecar.run(events.append, [event() for _ in range(9)])
        tokens.append(taken.token)
        positions += [appended.last_position - 8, appended.last_position]
    assert sorted(set(tokens)) == tokens
    assert sorted(set(positions)) == positions
    assert max(*tokens, *positions) < 2**53


async def test_it_is_not_brought_back_while_the_installation_runs(
    database: Database, backups: Backups
) -> None:
    await _fill(database)
    backup, before = backups.make(database), await _rows(database)
    for login in (database.operator, database.sidecar, database.gateway):
        connection = await asyncpg.connect(login)
        try:
            said = backups.refusal(database, backup, "--replace")
        finally:
            await connection.close()
        assert "the installation runs" in said
        assert "scale operator, sidecar and gateways to 0" in said
    assert await _rows(database) == before


async def test_standing_tables_are_kept_or_put_aside(database: Database, backups: Backups) -> None:
    await _fill(database)
    backup = backups.make(database)
    await _do(database, "UPDATE flags SET is_on = true WHERE name = 'demoProvider'")
    before = await _rows(database)
    assert "--replace puts them aside" in backups.refusal(database, backup)
    assert await _rows(database) == before
    backups.restore(database, backup, "--replace")
    assert await _all(database, "SELECT name FROM flags WHERE is_on") == []
    ((aside,),) = await _all(
        database, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replaced%'"
    )
    assert await _all(database, f"SELECT name FROM {aside}.flags WHERE is_on") == [  # noqa: S608 - its name
        ("demoProvider",)
    ]
    # The next backup has what counts now, and brings it back.
    await _do(database, f"DROP SCHEMA {aside} CASCADE")
    again = backups.make(database)
    backups.restore(database, again, "--replace")
    assert await _all(database, "SELECT count(*) FROM events") == [(3,)]


async def test_a_backup_leaves_out_what_an_earlier_restore_put_aside(
    database: Database, place: Database, backups: Backups
) -> None:
    backups.restore(database, backups.make(database), "--replace")
    backups.restore(place, backups.make(database))
    assert await _all(place, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'replaced%'") == []


async def test_a_damaged_backup_is_refused(
    database: Database, place: Database, backups: Backups
) -> None:
    backup = backups.make(database)
    middle = len(backup) // 2
    bent = backup[:middle] + bytes([backup[middle] ^ 1]) + backup[middle + 1 :]
    assert "a checksum is wrong" in backups.refusal(place, bent)
    assert "no backup, or it is cut off" in backups.refusal(place, backup[:middle])
    assert "no backup" in backups.refusal(place, b"")
    assert await _all(place, TABLES) == []
    checked = backups.run(place, "verify", given=bent)
    assert checked.returncode == 1


async def test_a_backup_of_a_newer_schema_is_refused(
    database: Database, place: Database, backups: Backups
) -> None:
    await _do(database, "UPDATE alembic_version SET version_num = '0099'")
    said = backups.refusal(place, backups.make(database))
    assert f"revision 99, this version knows {schema.REVISION}" in said
    assert await _all(place, TABLES) == []


async def test_a_restore_that_breaks_off_leaves_all_as_it_was(
    database: Database, backups: Backups, tmp_path: Path
) -> None:
    await _fill(database)
    backup, before = backups.make(database), await _rows(database)
    tools = tmp_path / "tools"
    tools.mkdir()
    # It dies in the middle of the rows of a table.
    broken = tools / "pg_restore"
    broken.write_text(
        '#!/bin/sh\nPATH="${PATH#*:}"\ncase $* in *--file=-*) pg_restore "$@" | sed "/^COPY public.events/q"; exit 1;;'
        ' *) exec pg_restore "$@";; esac\n'
    )
    broken.chmod(0o755)
    said = Backups(tmp_path, (tools,)).refusal(database, backup, "--replace")
    assert "nothing was restored" in said
    assert await _rows(database) == before
    assert await _all(database, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'replaced%'") == []


async def test_what_is_missing_is_found_before_it_counts(
    database: Database, place: Database, backups: Backups, tmp_path: Path
) -> None:
    await _fill(database)
    tools = tmp_path / "tools"
    tools.mkdir()
    # As if the dump had lost a table's rows.
    lossy = tools / "pg_dump"
    lossy.write_text(
        '#!/bin/sh\nPATH="${PATH#*:}"\nexec pg_dump --exclude-table-data=mirror "$@"\n'
    )
    lossy.chmod(0o755)
    backup = Backups(tmp_path, (tools,)).make(database)
    assert "is not what was backed up" in backups.refusal(place, backup)
    assert await _all(place, TABLES) == []


async def test_only_the_owner_may_do_it(database: Database) -> None:
    for login in (database.operator, database.sidecar, database.gateway):
        connection = await asyncpg.connect(login)
        try:
            for call in ("backup_manifest", "objects_to_restore", "after_restore"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"SELECT {call}()")
        finally:
            await connection.close()


@pytest.mark.parametrize(
    "words", [(), ("make", "now"), ("restore", "--force"), ("objects", "Pod"), ("drop",)]
)
def test_a_wrong_call_says_which_there_are(
    words: tuple[str, ...], database: Database, backups: Backups
) -> None:
    ended = backups.run(database, *words)
    assert ended.returncode == 2
    assert ended.stdout == b""
    assert b"coxswain-backup: " in ended.stderr


def test_the_program_knows_this_schema() -> None:
    assert f"\nnewest={schema.REVISION} #" in PROGRAM.read_text()
