"""What the callers of the API write down is what they heard, and what they did not hear."""

from pathlib import Path

import pytest

from tests.faults.callers import Notebook
from tests.faults.history import Heard

KEY = {"key": "order-17"}


def _notebook(folder: Path) -> Notebook:
    return Notebook(folder / "heard", lambda: 3.0)


async def test_what_is_asked_is_written_before_its_answer(tmp_path: Path) -> None:
    notebook = _notebook(tmp_path)

    async def answer() -> int:
        assert notebook.heard() == [Heard(3.0, "create", KEY)]
        return 7

    assert await notebook.asks("create", KEY, answer(), lambda found: {"job": found}) == 7
    assert notebook.heard()[1:] == [Heard(3.0, "create", KEY, {"job": 7})]


async def test_what_has_no_answer_keeps_none(tmp_path: Path) -> None:
    notebook = _notebook(tmp_path)

    async def answer() -> int:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await notebook.asks("create", KEY, answer())
    assert notebook.heard() == [Heard(3.0, "create", KEY)]
