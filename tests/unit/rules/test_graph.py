"""Circles among things that wait for each other."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.rules import graph

NODES = "abcdef"
graphs = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=3))


def _reaches(edges: dict[str, list[str]], start: str) -> bool:
    """Whether a thing waits for itself, by the closure of all ways."""
    reached: set[str] = set(edges.get(start, []))
    while True:
        more = {there for here in reached for there in edges.get(here, [])} - reached
        if not more:
            return start in reached
        reached |= more


@given(graphs, st.sampled_from(NODES))
def test_a_circle_is_found_exactly_where_there_is_one(
    edges: dict[str, list[str]], start: str
) -> None:
    found = graph.cycle(start, lambda name: edges.get(name, []))
    assert bool(found) == _reaches(edges, start)
    if found:
        assert found[0] == found[-1] == start
        assert all(there in edges[here] for here, there in itertools.pairwise(found))
        assert len(set(found)) == len(found) - 1


@pytest.mark.parametrize(
    ("edges", "way"),
    [
        ({"a": ["a"]}, ("a", "a")),
        ({"a": ["b"], "b": ["a"]}, ("a", "b", "a")),
        ({"a": ["b", "c"], "b": ["d"], "d": ["a"], "c": ["a"]}, ("a", "c", "a")),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ()),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, ()),
    ],
)
def test_the_shortest_way_round_is_named(edges: dict[str, list[str]], way: tuple[str, ...]) -> None:
    assert graph.cycle("a", lambda name: edges.get(name, [])) == way


def test_a_chain_of_any_length_is_looked_at_within_bounds() -> None:
    looked: list[int] = []

    def after(name: str) -> list[str]:
        looked.append(int(name))
        return [str(int(name) + 1)]

    assert graph.cycle("0", after) == ()
    assert len(looked) <= graph.LOOKED_AT + 1
