"""What kopf's own handlers do to objects: why we register none of them (docs/museum.md).

Each test holds with the pinned kopf. One that fails with a newer kopf says that something was mended there,
or has become worse: read the page before the pin is moved.
"""

import json

from coxswain.kube import paths
from tests.support.apiserver import eventually
from tests.support.between import Event
from tests.support.exhibits import HANDLED
from tests.support.museum import Museum
from tests.support.waiting import until

FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
# Kept whole in an annotation, with every quote and newline written with a backslash.
TOO_LARGE = '"\n' * 100_000


async def test_a_kill_before_the_progress_is_kept_runs_the_handler_again(room: Museum) -> None:
    await room.make("parent")
    room.between.loses = lambda asked: asked.method == "PATCH" and asked.who == "one"
    with room.opened("children") as first:
        await first.tells("made", "parent")
        await until(lambda: bool(room.between.lost))
    with room.opened("children", "two") as second:
        await second.tells("made", "parent")
        await until(lambda: any(asked.who == "two" for asked, _ in room.between.patches))
    listed = await room.client.get(paths.collection("configmaps", room.namespace))
    names = [each["metadata"]["name"].partition("-")[0] for each in listed["items"]]
    assert (names.count("generated"), names.count("derived")) == (2, 1)


async def test_an_object_is_handled_twice_where_its_own_patch_comes_back_late(room: Museum) -> None:
    def delay(event: Event) -> float:
        metadata = event["object"]["metadata"]
        is_own = HANDLED in metadata.get("annotations", {})
        return 1.5 if is_own and metadata["name"] == "slow" else 0.0

    room.between.delay = delay
    with room.opened("labelled", settings={"persistence.consistency_timeout": 0.5}) as exhibit:
        await until(lambda: room.watches("one"))
        await room.make("slow")
        await room.make("quick")
        await exhibit.tells("created", "slow", times=2)
        assert len(exhibit.rows("created", "quick")) == 1


async def test_a_new_object_of_an_old_name_is_taken_for_handled(room: Museum) -> None:
    former = (await room.make("twin"))["metadata"]["uid"]
    with room.opened("slow") as exhibit:
        await exhibit.tells("begun", "twin")
        await until(lambda: room.watches("one"))
        room.between.holds = True
        await room.delete("twin")
        latter = (await room.make("twin"))["metadata"]["uid"]
        exhibit.open_gate()
        await until(lambda: any(status == 200 for _, status in room.between.patches))
        room.between.expire()
        await room.make("witness")
        await exhibit.tells("created", "witness")
        assert exhibit.rows("created", "twin") == [former]
    found = await room.get("twin")
    assert found["metadata"]["uid"] == latter
    assert HANDLED in found["metadata"]["annotations"]
    assert former in json.dumps(found["status"])


async def test_an_object_that_is_too_large_for_an_annotation_cannot_be_deleted(
    room: Museum,
) -> None:
    await room.make("large", prompt=TOO_LARGE)
    with room.opened("whole") as exhibit:
        await exhibit.tells("created", "large")
        await until(lambda: room.refused_patches > 0)
        before = room.refused_patches
        await room.delete("large")
        await exhibit.tells("deleted", "large")
        # With this patch it would have been let go.
        await until(lambda: room.refused_patches > before)
        stuck = (await room.get("large"))["metadata"]
    assert stuck["finalizers"] == [FINALIZER]
    assert "deletionTimestamp" in stuck
    await room.change("large", {"metadata": {"finalizers": None}})


async def test_a_restored_object_is_never_created(room: Museum) -> None:
    first = await room.make("old")
    with room.opened("created") as exhibit:
        await exhibit.tells("created", "old")

        async def is_marked() -> bool:
            return HANDLED in (await room.get("old"))["metadata"].get("annotations", {})

        await eventually(is_marked)
        kept = (await room.get("old"))["metadata"]["annotations"]
        await room.delete("old")
        await room.make("old", annotations=kept)
        await room.make("witness")
        await exhibit.tells("created", "witness")
        assert exhibit.rows("created", "old") == [first["metadata"]["uid"]]


async def test_a_timer_fires_with_every_start_whatever_its_interval(room: Museum) -> None:
    await room.make("clock")
    for times in (1, 2, 3):
        with room.opened("timed") as exhibit:
            await exhibit.tells("fired", "clock", times)
            assert len(exhibit.rows("fired")) == times


async def test_an_objects_life_costs_five_patches_and_its_spec_once_more(room: Museum) -> None:
    patches = room.between.patches
    with room.opened("whole") as exhibit:
        await room.make("thing", prompt="x" * 2000)
        await exhibit.tells("created", "thing")
        await until(lambda: len(patches) == 3)
        kept = (await room.get("thing"))["metadata"]["annotations"][HANDLED]
        await room.change("thing", {"spec": {"prompt": "y" * 2000}})
        await exhibit.tells("updated", "thing")
        await until(lambda: len(patches) == 4)
        await room.delete("thing")
        await exhibit.tells("deleted", "thing")
        await eventually(lambda: room.is_gone("thing"))
    assert len(patches) == 5
    assert len(kept) > 2000
