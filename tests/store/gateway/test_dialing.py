"""The dialer, where every address answers: no spelling leads to one that is not public."""

from collections import Counter
from typing import Any

import pytest

from tests.support import anywhere, targets

SPELLINGS = list(targets.closed())


@pytest.fixture(scope="module")
def explored() -> dict[str, Any]:
    if not anywhere.is_possible():
        pytest.skip("this machine lets nobody make a network namespace")
    return anywhere.explore()


def test_the_corpus_is_large_and_has_every_family() -> None:
    hosts = {each.host for each in SPELLINGS}
    assert len(hosts) >= 300
    families = Counter(each.family for each in SPELLINGS)
    assert set(families) == {*targets.WAYS, "IPv6", "name"}


def test_without_a_guard_every_spelling_reaches_its_trap(explored: dict[str, Any]) -> None:
    said = explored["unguarded"]
    assert {host for host, how in said.items() if how != anywhere.ARRIVED} == set()
    assert explored["unguarded arrivals"] == len(said) >= 300


@pytest.mark.parametrize("way", ["dialled", "fetched", "posted"])
def test_with_the_dialer_no_connection_arrives(explored: dict[str, Any], way: str) -> None:
    said = explored[way]
    assert set(said) >= {each.host for each in SPELLINGS}
    assert anywhere.ARRIVED not in said.values()
    assert explored[f"{way} arrivals"] == 0


def test_the_dialer_refuses_by_address_not_by_chance(explored: dict[str, Any]) -> None:
    said = explored["dialled"]
    odd = {each.host: said[each.host] for each in SPELLINGS if said[each.host] != "address_refused"}
    assert odd == {}


def test_what_is_public_is_reached(explored: dict[str, Any]) -> None:
    assert set(explored["open"].values()) == {anywhere.ARRIVED}
