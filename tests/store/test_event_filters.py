"""What Postgres gives for a filter, and what passes it in memory, is the same."""

from itertools import product

import pytest

from coxswain.store import events, mirror
from coxswain.store.events import Event, Filter, StoredEvent
from coxswain.store.pool import Store
from tests.support import rows
from tests.support.rows import event

UID = "0198f0a0-0000-4000-8000-000000000001"
OTHER = "0198f0a0-0000-4000-8000-000000000002"
LARGE = {"text": "x" * 10_000}


def happened() -> list[Event]:
    about = {"kind": "Job", "name": "first", "uid": UID, "workspace": "team"}
    return [
        event("job.created", **about, actor="operator"),
        event("run.output", **about, attempt=1, actor="agent:team/writer"),
        event("agent.ready", kind="Agent", name="reader", workspace="team", actor="operator"),
        event("user.note", workspace="other"),
        event("user.note", **(about | {"workspace": "other"})),
        event("job.created", kind="Job", name="x", uid=OTHER, workspace="team"),
        event("run.custom.jobs", workspace="team"),
    ]


async def filled(store: Store) -> None:
    spec = {"agentRef": {"name": "reader"}}
    await store.transact(mirror.write, [rows.job(uid=UID, spec=spec)], happened())


async def everything(store: Store) -> list[StoredEvent]:
    return list((await store.run(events.after, 0)).events)


async def positions(store: Store, which: Filter) -> list[int]:
    return [each.position for each in (await store.run(events.after, 0, which)).events]


async def test_postgres_and_memory_let_the_same_events_pass(operator_store: Store) -> None:
    await filled(operator_store)
    known = await everything(operator_store)
    assert len(known) == len(happened())
    choices = product(
        (None, "job.", "job.created", "user.note,run.", "jo", "job"),
        (None, "team"),
        (None, UID),
        (None, frozenset({"other"})),
        (None, "reader", "writer"),
    )
    for type_, workspace, uid, seen, agent in choices:
        which = Filter(type_, workspace, uid, None, seen, agent)
        wanted = [each.position for each in known if which.passes(each)]
        assert await positions(operator_store, which) == wanted, which


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (Filter(type="job.created,user."), [1, 4, 5, 6]),
        (Filter(type="job.,agent.ready"), [1, 3, 6]),
        (Filter(agent="reader"), [1, 3]),
        (Filter(agent="writer"), [2]),
        (Filter(agent="nobody"), []),
        (Filter(agent="reader", type="agent."), [3]),
        (Filter(agent="reader", workspaces=frozenset({"other"})), []),
    ],
    ids=str,
)
async def test_events_are_chosen_by_several_types_and_by_their_agent(
    operator_store: Store, which: Filter, wanted: list[int]
) -> None:
    await filled(operator_store)
    assert await positions(operator_store, which) == wanted


@pytest.mark.parametrize("which", [Filter(), Filter(type="user."), Filter(uid=UID)], ids=str)
async def test_a_page_ends_with_its_bytes_and_goes_on_without_a_gap(
    sidecar_store: Store, which: Filter
) -> None:
    batch = [event("user.large", uid=UID, details=LARGE) for _ in range(7)]
    await sidecar_store.run(events.append, batch)
    position, sizes, seen, more = 0, [], [], True
    while more:
        page = await sidecar_store.run(events.after, position, which, most_bytes=25_000)
        sizes.append(len(page.events))
        seen += [each.position for each in page.events]
        position, more = page.next, page.more
    assert seen == list(range(1, 8))
    assert max(sizes) == 3


async def test_one_event_that_is_larger_than_a_page_is_given_all_the_same(
    sidecar_store: Store,
) -> None:
    await sidecar_store.run(events.append, [event("user.large", details=LARGE) for _ in range(2)])
    page = await sidecar_store.run(events.after, 0, most_bytes=1)
    assert [each.position for each in page.events] == [1]
    assert (page.next, page.more) == (1, True)
