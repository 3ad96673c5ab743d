"""Files of runs in a bucket of a real S3 server: the object stands before the row, and nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.errors import ConflictError, CoxswainError, UnavailableError, UserError
from coxswain.sidecar.artifact_store import ArtifactStore
from coxswain.sidecar.collector import Collector
from coxswain.store import artifact_objects, artifacts, claims, mirror, reports, retention, runs
from coxswain.store.bucket import Bucket
from coxswain.store.claims import Pod
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import RunKey
from tests.support import rows, s3
from tests.support.cutting import cutting
from tests.support.postgres import Database, opened
from tests.support.s3 import S3
from tests.support.sidecar_api import running

CONTENT = bytes(range(256)) * 4000


class KilledError(Exception):
    """The process ends here."""


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3.serving() as started:
        yield started


@pytest.fixture
def place(server: S3) -> S3:
    """A bucket of the test's own."""
    return server.with_other_bucket()


@pytest.fixture
def bucket(place: S3) -> Bucket:
    return Bucket(place.address)


@pytest.fixture
def files(sidecar_store: Store, bucket: Bucket) -> ArtifactStore:
    return ArtifactStore(sidecar_store, bucket, "coxswain/")


@pytest.fixture
async def run(operator_store: Store, sidecar_store: Store) -> tuple[RunKey, Pod]:
    new = rows.new_run()
    owner = rows.pod()
    await operator_store.transact(runs.open_run, new)
    await sidecar_store.transact(claims.claim, new.key, owner)
    return new.key, owner


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


async def age(admin: Any, hours: int) -> None:
    """Time goes by, for the database."""
    await admin.execute(
        "UPDATE artifact_objects SET since = since - make_interval(hours => $1),"
        " deleted_at = deleted_at - make_interval(hours => $1)",
        hours,
    )


async def read(store: Store, files: ArtifactStore, key: RunKey, name: str = "out") -> bytes | None:
    found = await store.run(artifacts.get, key.job_uid, name)
    return None if found is None else await files.content(found)


async def states(admin: Any) -> list[str]:
    rows_ = await admin.fetch("SELECT state FROM artifact_objects ORDER BY state")
    return [row["state"] for row in rows_]


async def test_a_file_is_read_back_and_its_row_holds_no_content(
    files: ArtifactStore, run: tuple[RunKey, Pod], sidecar_store: Store, place: S3, admin: Any
) -> None:
    key, owner = run
    for _ in range(2):
        await files.put(owner.uid, "out", "text/plain", CONTENT)
    assert await read(sidecar_store, files, key) == CONTENT
    row = await admin.fetchrow("SELECT content, bytes, object_key FROM artifacts")
    assert (row["content"], row["bytes"]) == (None, len(CONTENT))
    assert place.keys() == {row["object_key"]}
    assert row["object_key"].startswith("coxswain/")
    with pytest.raises(ConflictError) as refused:
        await files.put(owner.uid, "out", "text/plain", b"other")
    assert refused.value.code == "artifact_differs"
    assert len(place.keys()) == 1


async def test_the_same_file_sent_ten_times_at_once_stands_once(
    files: ArtifactStore, run: tuple[RunKey, Pod], sidecar_store: Store, place: S3, admin: Any
) -> None:
    key, owner = run
    await asyncio.gather(*(files.put(owner.uid, "out", "a/b", CONTENT) for _ in range(10)))
    assert await read(sidecar_store, files, key) == CONTENT
    assert (await states(admin)).count("Kept") == 1
    await age(admin, 2)
    await Collector(sidecar_store, Bucket(place.address)).once()
    assert await read(sidecar_store, files, key) == CONTENT
    assert len(place.keys()) == 1


class Dying(Bucket):
    """The process is killed around the write of an object."""

    dies_before = True

    @override
    async def put(self, key: str, content: bytes) -> None:
        if self.dies_before:
            raise KilledError
        await super().put(key, content)
        raise KilledError


@pytest.mark.parametrize("is_before", [True, False])
async def test_a_crash_leaves_no_row_and_its_object_is_deleted_after_an_hour(
    run: tuple[RunKey, Pod],
    sidecar_store: Store,
    place: S3,
    bucket: Bucket,
    admin: Any,
    *,
    is_before: bool,
) -> None:
    key, owner = run
    dying = Dying(place.address)
    dying.dies_before = is_before
    with pytest.raises(KilledError):
        await ArtifactStore(sidecar_store, dying).put(owner.uid, "out", "a/b", CONTENT)
    collector = Collector(sidecar_store, bucket)
    await collector.once()
    assert len(place.keys()) == (0 if is_before else 1)
    assert await sidecar_store.run(artifacts.get, key.job_uid, "out") is None
    await age(admin, 2)
    await collector.once()
    assert place.keys() == set()
    await age(admin, 25)
    await collector.once()
    assert await states(admin) == []
    again = ArtifactStore(sidecar_store, bucket)
    await again.put(owner.uid, "out", "a/b", CONTENT)
    assert await read(sidecar_store, again, key) == CONTENT


async def test_who_comes_back_after_his_object_was_given_up_names_nothing(
    run: tuple[RunKey, Pod], sidecar_store: Store, place: S3, bucket: Bucket, admin: Any
) -> None:
    key, owner = run
    collector = Collector(sidecar_store, bucket)

    class Sleeping(Bucket):
        """Frozen for two hours, before or after the object is written."""

        @override
        async def put(self, key: str, content: bytes) -> None:
            await age(admin, 2)
            await collector.once()
            await super().put(key, content)

    with pytest.raises(UnavailableError) as refused:
        await ArtifactStore(sidecar_store, Sleeping(place.address)).put(
            owner.uid, "out", "a/b", CONTENT
        )
    assert refused.value.code == "object_given_up"
    assert await sidecar_store.run(artifacts.get, key.job_uid, "out") is None
    # It was written after its deletion; a second one takes it away.
    assert len(place.keys()) == 1
    await age(admin, 25)
    await collector.once()
    assert place.keys() == set()


async def test_a_lost_answer_of_the_database_loses_and_doubles_nothing(
    database: Database,
    run: tuple[RunKey, Pod],
    bucket: Bucket,
    place: S3,
    admin: Any,
    tmp_path: Path,
) -> None:
    key, owner = run
    for lost in (1, 2):
        async with cutting(database.sidecar, tmp_path) as (dsn, cutter), opened(dsn) as store:
            seen = 0

            def commits(reply: bytes, which: int = lost) -> bool:
                nonlocal seen
                seen += b"COMMIT\0" in reply
                return seen == which

            cutter.lose(commits)
            name = f"out{lost}"
            await ArtifactStore(store, bucket).put(owner.uid, name, "a/b", CONTENT)
            assert cutter.cuts == 1
            assert await read(store, ArtifactStore(store, bucket), key, name) == CONTENT
    assert (await states(admin)).count("Kept") == 2
    assert await admin.fetchval("SELECT count(*) FROM artifacts") == 2


async def test_a_run_that_closes_meanwhile_keeps_nothing(
    operator_store: Store, run: tuple[RunKey, Pod], sidecar_store: Store, place: S3
) -> None:
    key, owner = run

    class Late(Bucket):
        """The run is over when the object stands."""

        @override
        async def put(self, key_: str, content: bytes) -> None:
            await super().put(key_, content)
            await operator_store.transact(runs.close_run, key, "Lost", knows_result=False)

    with pytest.raises(ConflictError) as refused:
        await ArtifactStore(sidecar_store, Late(place.address)).put(owner.uid, "o", "a/b", b"x")
    assert refused.value.code == "run_closed"
    assert await sidecar_store.run(artifacts.get, key.job_uid, "o") is None


async def test_a_result_names_only_what_stands(
    files: ArtifactStore, run: tuple[RunKey, Pod], sidecar_store: Store
) -> None:
    _, owner = run
    await files.put(owner.uid, "out", "a/b", b"x")

    async def post(*names: str) -> bool:
        done = RunResult(status=ResultStatus.SUCCEEDED, artifacts=list(names))
        return await sidecar_store.transact(reports.post_result, owner.uid, done)

    with pytest.raises(UserError) as refused:
        await post("out", "other")
    assert (refused.value.code, refused.value.field) == ("artifact_missing", "artifacts")
    assert "'other'" in refused.value.message
    assert await post("out")


async def test_objects_go_with_the_records_of_their_job(
    files: ArtifactStore,
    run: tuple[RunKey, Pod],
    operator_store: Store,
    sidecar_store: Store,
    bucket: Bucket,
    place: S3,
    admin: Any,
) -> None:
    key, owner = run
    await files.put(owner.uid, "out", "a/b", CONTENT)
    await operator_store.transact(mirror.write, [rows.job(uid=key.job_uid)], [])
    await operator_store.transact(mirror.mark_deleted, [key.job_uid], [])
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    assert await operator_store.run(retention.drop_files, 365) == 1
    assert len(place.keys()) == 1
    await Collector(sidecar_store, bucket).once()
    assert place.keys() == set()


async def test_nothing_is_deleted_that_a_row_names_nor_what_is_of_another_bucket(
    files: ArtifactStore,
    run: tuple[RunKey, Pod],
    sidecar_store: Store,
    bucket: Bucket,
    place: S3,
    admin: Any,
) -> None:
    key, owner = run
    await files.put(owner.uid, "out", "a/b", CONTENT)
    (place.folder / "coxswain" / "somebody-elses").write_bytes(b"x")
    await age(admin, 1000)
    await Collector(sidecar_store, bucket).once()
    await admin.execute(
        "INSERT INTO artifact_objects (key, bucket, state)"
        " VALUES ('coxswain/somebody-elses', 'elsewhere', 'Doomed')"
    )
    await Collector(sidecar_store, bucket).once()
    assert await read(sidecar_store, files, key) == CONTENT
    assert len(place.keys()) == 2

    async def forget(connection: Connection) -> None:
        await connection.execute("DELETE FROM artifact_objects WHERE state = 'Kept'")

    with pytest.raises(CoxswainError):
        await sidecar_store.transact(forget)


async def test_files_of_before_stay_in_postgres_and_those_of_another_bucket_say_where_they_are(
    files: ArtifactStore, run: tuple[RunKey, Pod], sidecar_store: Store, server: S3
) -> None:
    key, owner = run
    plain = ArtifactStore(sidecar_store)
    await plain.put(owner.uid, "old", "a/b", b"old")
    await files.put(owner.uid, "new", "a/b", b"new")
    assert await read(sidecar_store, files, key, "old") == b"old"
    for other in (plain, ArtifactStore(sidecar_store, Bucket(server.address))):
        with pytest.raises(UnavailableError) as refused:
            await read(sidecar_store, other, key, "new")
        assert refused.value.code == "artifact_elsewhere"


async def test_another_content_than_was_sent_is_never_handed_out(
    files: ArtifactStore, run: tuple[RunKey, Pod], sidecar_store: Store, place: S3
) -> None:
    key, owner = run
    await files.put(owner.uid, "out", "a/b", CONTENT)
    (name,) = place.keys()
    (place.folder / name).write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(CoxswainError) as refused:
        await read(sidecar_store, files, key)
    assert refused.value.code == "artifact_damaged"


async def test_wrong_keys_and_a_store_that_is_away_are_told_apart_from_nothing(
    run: tuple[RunKey, Pod], sidecar_store: Store, place: S3, capsys: pytest.CaptureFixture[str]
) -> None:
    _, owner = run
    for address in (
        replace(place.address, secret_access_key="wrong"),
        replace(place.address, endpoint="http://127.0.0.1:1"),
        replace(place.address, bucket="not-there"),
    ):
        with pytest.raises(UnavailableError) as refused:
            await ArtifactStore(sidecar_store, Bucket(address)).put(owner.uid, "o", "a/b", b"x")
        assert refused.value.code == "bucket_unavailable"
        assert address.endpoint not in refused.value.message
        assert address.secret_access_key not in capsys.readouterr().out


async def test_two_processes_share_a_bucket(
    database: Database, operator_store: Store, place: S3, tmp_path: Path
) -> None:
    given = place.settings()
    async with (
        running(database, operator_store, tmp_path, **given) as one,
        running(database, operator_store, tmp_path, **given) as other,
    ):
        new, _, headers = await one.claimed()
        await other.mirrored("first", uid=new.key.job_uid)
        kind = {"Content-Type": "text/plain"}
        url = "/v1/run/artifacts/out"
        async with one.anybody.put(url, data=CONTENT, headers=headers | kind) as answer:
            assert answer.status == 204
        async with other.user.get("/v1/workspaces/team/jobs/first/artifacts/out") as answer:
            assert (answer.status, answer.content_type) == (200, "text/plain")
            assert await answer.read() == CONTENT
    assert len(place.keys()) == 1


async def test_a_doomed_object_is_never_kept(sidecar_store: Store, bucket: Bucket) -> None:
    place = artifact_objects.Place(bucket.name, "k")
    await sidecar_store.run(artifact_objects.begin, place)
    assert await sidecar_store.run(artifact_objects.doom_unfinished, 0.0) == 1
    with pytest.raises(UnavailableError):
        await sidecar_store.run(artifact_objects.keep, place)
