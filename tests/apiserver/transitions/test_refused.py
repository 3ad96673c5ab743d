"""Changes that the API server has to refuse: every bound of every property, and what is fixed."""

import pytest

from tests.support.transitions import changes, samples
from tests.support.transitions.changes import Change
from tests.support.transitions.cluster import Crowd, Place, at_once
from tests.support.workspace import Workspace

kinds = pytest.mark.parametrize("kind", samples.SPECS)


def named(kind: str, change: Change) -> Place:
    """The object of the sample that the change is of."""
    return Place(kind, f"s{samples.SPECS[kind].index(change.before)}")


async def standing(workspace: Workspace, kind: str) -> Crowd:
    """An object of each sample."""
    crowd = Crowd(workspace)
    for number, spec in enumerate(samples.SPECS[kind]):
        await crowd.make(Place(kind, f"s{number}"), spec)
    return crowd


@kinds
async def test_every_bad_change_is_refused_with_its_place(workspace: Workspace, kind: str) -> None:
    crowd, tried = await standing(workspace, kind), changes.bad(kind)
    before = await crowd.all()
    said = await at_once(crowd.refusal(named(kind, each), each.after) for each in tried)
    print(f"{kind}: {len(tried)} bad changes tried")
    wrong = [
        f"{each}: {words or 'taken'}"
        for each, words in zip(tried, said, strict=True)
        if each.place not in words
    ]
    assert wrong == []
    assert await crowd.all() == before


@kinds
async def test_a_good_change_of_what_is_fixed_is_refused_with_its_words(
    workspace: Workspace, kind: str
) -> None:
    crowd, good = await standing(workspace, kind), changes.good(kind)
    tried = {str(each): each for each in good if changes.is_fixed(each)}
    before = await crowd.all()
    said = await at_once(crowd.refusal(named(kind, each), each.after) for each in tried.values())
    print(f"{kind}: {len(tried)} changes of what is fixed tried")
    wrong = [
        f"{each}: {words or 'taken'}"
        for each, words in zip(tried.values(), said, strict=True)
        if changes.is_fixed(each) not in words
    ]
    assert wrong == []
    assert await crowd.all() == before
