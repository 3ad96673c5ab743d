"""docs/sdk.md says what the client has: its errors, its waits, its rooms."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from coxswain.client import Client, RetryPolicy, errors
from coxswain.client.errors import ClientError
from tests.support.calls import URL

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sdk.md").read_text()
BASES = {errors.RefusedError, errors.FailedError}


def kinds(base: type[ClientError] = ClientError) -> Iterator[type[ClientError]]:
    for each in base.__subclasses__():
        yield each
        yield from kinds(each)


def test_the_page_lists_every_error_and_whether_its_call_is_made_again() -> None:
    told = dict(re.findall(r"^\| `(\w+Error)` \|.*\| ([^|]+) \|$", PAGE, re.M))
    assert told == {each.__name__: each.again.value for each in {*kinds()} - BASES}


def test_the_page_tells_the_policy() -> None:
    policy = RetryPolicy()
    words = re.search(
        r"up to (\d+) tries and (\d+) s; .* between 0 and ([\d.]+) s,\s+doubled each time, (\d+) s",
        PAGE,
    )
    assert words is not None
    assert [float(each) for each in words.groups()] == [
        policy.tries,
        policy.total_seconds,
        policy.first_seconds,
        policy.most_seconds,
    ]


def test_the_page_lists_every_room_and_method() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([a-z_, ]+) \|$", PAGE, re.M))
    with Client(URL) as client:
        rooms = {name: room for name, room in vars(client).items() if not name.startswith("_")}
        found = {
            name: {each for each, _ in inspect.getmembers(room, inspect.ismethod) if each[0] != "_"}
            for name, room in rooms.items()
        }
    assert {name: {*methods.split(", ")} for name, methods in told.items()} == found
