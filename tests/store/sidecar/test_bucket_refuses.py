"""A bucket that refuses to delete, or does not answer: the other objects go all the same."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from coxswain.errors import UnavailableError
from coxswain.sidecar.collector import Collector
from coxswain.store.bucket import Bucket, Deleted
from coxswain.store.pool import Store
from coxswain.telemetry import metrics
from tests.support import s3
from tests.support.postgres import Database
from tests.support.s3 import S3


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3.serving() as started:
        yield started


@pytest.fixture
def place(server: S3) -> S3:
    """A bucket of the test's own."""
    return server.with_other_bucket()


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


class Stubborn(Bucket):
    """Some objects are not given away, or the store does not answer about them."""

    held: frozenset[str] = frozenset()
    is_answered = True
    tried = 0

    @override
    async def delete(self, keys: Sequence[str]) -> Deleted:
        tried = list(keys)
        if not self.is_answered:
            first = next((n for n, key in enumerate(tried) if key in self.held), len(tried))
            tried = tried[: first + 1]
        self.tried += len(tried)
        left = tuple(key for key in tried if key in self.held)
        done = await super().delete([key for key in tried if key not in self.held])
        return Deleted(done.gone, left, is_answered=self.is_answered or not left)


@pytest.fixture
async def doomed(admin: Any, place: S3) -> list[str]:
    """Three hundred objects that are to be deleted, oldest first."""
    names = [f"n{n:03}" for n in range(300)]
    await admin.execute(
        "INSERT INTO artifact_objects (key, bucket, state, since)"
        " SELECT name, $2, 'Doomed', now() - interval '1 day' + make_interval(secs => place)"
        " FROM unnest($1::text[]) WITH ORDINALITY AS given (name, place)",
        names,
        place.address.bucket,
    )
    for name in names:
        (place.folder / name).write_bytes(b"x")
    return names


async def test_objects_that_are_refused_are_tried_once_a_round_and_do_not_keep_the_others(
    sidecar_store: Store, place: S3, doomed: list[str]
) -> None:
    bucket = Stubborn(place.address)
    bucket.held = frozenset(doomed[:150])
    before = metrics.REGISTRY.get_sample_value("coxswain_bucket_objects_left_total") or 0.0
    await Collector(sidecar_store, bucket).once()
    assert place.keys() == bucket.held
    assert bucket.tried == 300
    after = metrics.REGISTRY.get_sample_value("coxswain_bucket_objects_left_total") or 0.0
    assert after - before == 150
    bucket.held = frozenset()
    await Collector(sidecar_store, bucket).once()
    assert place.keys() == set()


async def test_an_object_about_which_there_is_never_an_answer_does_not_keep_the_others(
    sidecar_store: Store, place: S3, doomed: list[str]
) -> None:
    bucket = Stubborn(place.address)
    bucket.held, bucket.is_answered = frozenset(doomed[:1]), False
    collector = Collector(sidecar_store, bucket)
    with pytest.raises(UnavailableError):
        await collector.once()
    assert len(place.keys()) == 300
    with pytest.raises(UnavailableError):
        await collector.once()
    assert place.keys() == bucket.held
