"""kopf hears and never writes: what is registered with it, and how it is set."""

from itertools import islice
from pathlib import Path

import kopf
import pytest
from kopf._core.intents.causes import Activity

from coxswain import names
from coxswain.kube.credentials import Credentials
from coxswain.process import host

ACCOUNT = Credentials("https://api.example", None, static_token="word")
# Each of these would write into objects, keep state, or be asked by the API server.
WRITERS = ["_indexing", "_spawning", "_changing", "_webhooks"]
ACTIVITIES = {Activity.STARTUP, Activity.CLEANUP, Activity.AUTHENTICATION, Activity.PROBE}


@pytest.fixture
def registry() -> kopf.OperatorRegistry:
    return host.registry(ACCOUNT, host.room_modules())


def test_every_room_is_heard(registry: kopf.OperatorRegistry) -> None:
    handlers = registry._watching.get_all_handlers()
    heard = {each.selector.any_name for each in handlers if each.selector is not None}
    assert {"agents", "jobs"} <= heard
    assert len(heard) >= len(host.room_modules())


def test_nothing_that_makes_kopf_write_is_registered(registry: kopf.OperatorRegistry) -> None:
    assert {part: list(getattr(registry, part).get_all_handlers()) for part in WRITERS} == {
        part: [] for part in WRITERS
    }
    assert set(vars(registry)) == {*WRITERS, "_watching", "_activities"}


def test_activities_are_those_of_a_process(registry: kopf.OperatorRegistry) -> None:
    found = {handler.activity for handler in registry._activities.get_all_handlers()}
    assert found <= ACTIVITIES
    assert Activity.AUTHENTICATION in found


def test_a_registry_is_told_from_one_that_would_write() -> None:
    made = kopf.OperatorRegistry()

    @kopf.on.update(names.GROUP, names.VERSION, "jobs", registry=made)
    async def changed(**_: object) -> None: ...

    @kopf.timer(names.GROUP, names.VERSION, "jobs", registry=made, interval=1)
    async def again(**_: object) -> None: ...

    found = {part for part in WRITERS if getattr(made, part).get_all_handlers()}
    assert found == {"_changing", "_spawning"}


def test_kopf_keeps_to_itself() -> None:
    made = host.settings()
    assert made.peering.standalone
    assert not made.posting.enabled
    assert not made.posting.loggers
    assert made.scanning.disabled
    assert not made.networking.enforce_retry_after


def test_a_silent_watch_is_given_up_and_others_end_by_themselves() -> None:
    watching = host.settings().watching
    assert watching.inactivity_timeout == 70
    assert (watching.server_timeout, watching.client_timeout) == (300, 330)


def test_a_long_list_is_read_in_pages() -> None:
    assert host.settings().watching.chunk_size == 500


def test_a_watch_is_repeated_without_end_with_a_bounded_wait() -> None:
    backoffs = host.settings().networking.error_backoffs
    assert isinstance(backoffs, host.EndlessBackoffs)
    tops = [min(30.0, 0.5 * 2**number) for number in range(200)]
    # Each failure starts from the beginning again.
    for _ in range(2):
        waits = list(islice(backoffs, len(tops)))
        assert all(top / 2 <= wait <= top for wait, top in zip(waits, tops, strict=True))
        assert len(set(waits[20:])) > 100


def test_nothing_is_kept_in_the_objects() -> None:
    kept = host.settings().persistence
    assert kept.finalizer == names.FINALIZER
    assert isinstance(kept.progress_storage, host.NoProgress)
    assert isinstance(kept.diffbase_storage, host.NoEssence)
    patch = kopf.Patch()
    body = kopf.Body({"metadata": {"name": "a"}})
    kept.diffbase_storage.store(body=body, patch=patch, essence=kopf.BodyEssence({}))
    kept.progress_storage.touch(body=body, patch=patch, value="now")
    assert patch == {}


def test_a_token_of_a_file_is_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("turning\n")
    turns = host.connection(Credentials("https://api.example", None, token_file=file))
    stays = host.connection(ACCOUNT)
    assert (turns.scheme, turns.token) == ("Bearer", "turning")
    assert turns.expiration is not None
    assert (stays.scheme, stays.token, stays.expiration) == ("Bearer", "word", None)
