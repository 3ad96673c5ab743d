"""The form of the client without await."""

import ast
from pathlib import Path

import pytest

from devtools import places, sdk

SOURCES = sorted((places.REPOSITORY / sdk.SOURCE).glob("*.py"))
AWAITED = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
MODULE = """
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from coxswain.client.asynchronous.transport import Transport
async def items(way: Transport) -> AsyncGenerator[int | None, None]:
    async with way.opened(httpx.AsyncClient()) as answer:
        async for each in answer.aiter_bytes():
            yield await answer.aread()
"""
PLAIN = """
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from coxswain.client.synchronous.transport import Transport
def items(way: Transport) -> Generator[int | None, None, None]:
    with way.opened(httpx.Client()) as answer:
        for each in answer.iter_bytes():
            yield answer.read()
"""


def test_each_word_of_the_one_has_its_word_in_the_other() -> None:
    assert sdk.without_await(MODULE) == PLAIN


@pytest.mark.parametrize(
    "path", [each for each in SOURCES if each.name not in sdk.BY_HAND], ids=lambda each: each.name
)
def test_nothing_that_awaits_is_left(path: Path) -> None:
    text = sdk.without_await(path.read_text())
    assert not [each for each in ast.walk(ast.parse(text)) if isinstance(each, AWAITED)]
