"""What is read at a start is not searched for garbage, then or later."""

import gc
from collections.abc import Iterator

import pytest

from coxswain.process import garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_no_garbage_is_looked_for_while_much_is_read_that_stays() -> None:
    with garbage.spared():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_read_is_passed_over_later() -> None:
    with garbage.spared():
        read = {"metadata": {"name": "a"}}
    assert gc.get_freeze_count() > 0
    assert not any(each is read for each in gc.get_objects())


def test_a_start_that_fails_leaves_the_collector_at_work() -> None:
    with pytest.raises(ValueError, match="no answer"), garbage.spared():
        raise ValueError("no answer")
    assert gc.isenabled()
