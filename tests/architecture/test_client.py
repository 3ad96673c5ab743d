"""The Python client reaches every operation that the API's OpenAPI document names for people and machines."""

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import httpx

from coxswain.client import AsyncClient, Client, NewEvent, RetryPolicy, errors
from coxswain.client import operations as known
from coxswain.client.models import ApprovalView, CallView
from coxswain.client.requests import Operation
from coxswain.rules import repeats
from coxswain.rules.repeats import Repeat
from coxswain.web import openapi
from tests.architecture.test_routes import all_routes
from tests.support.calls import URL

HASH = "0" * 64
AT = datetime(2026, 11, 29, tzinfo=UTC)
SHOWN: dict[str, Any] = {"workspace": "team", "name": "first", "hash": HASH}
WORDS: dict[str, Any] = {
    "changes": {"enabled": True},
    "events": [NewEvent("user.note")],
    "renewals": [],
    "since": AT,
    "spec": {},
    "token": 1,
    "until": AT,
}


def words(method: Callable[..., object], *, all_of_them: bool) -> dict[str, Any]:
    """Something for each parameter that is needed, or for the workspace too."""
    found: dict[str, Any] = {}
    for name, each in inspect.signature(method).parameters.items():
        if name == "shown":
            kind = CallView if "call" in method.__name__ else ApprovalView
            found[name] = kind.model_construct(**SHOWN)
        elif each.default is inspect.Parameter.empty or (all_of_them and name == "workspace"):
            found[name] = WORDS.get(name, "first")
    return found


def rooms(client: object) -> Iterator[tuple[str, object]]:
    return ((name, each) for name, each in vars(client).items() if not name.startswith("_"))


def methods(room: object) -> Iterator[Callable[..., Any]]:
    return (
        method
        for name, method in inspect.getmembers(room, inspect.ismethod)
        if not name.startswith("_")
    )


def called(client: Client) -> Iterator[tuple[str, dict[str, Any], Callable[..., Any]]]:
    for room_name, room in rooms(client):
        for method in methods(room):
            for all_of_them in (False, True):
                given = words(method, all_of_them=all_of_them)
                yield f"{room_name}.{method.__name__}", given, method


def sent() -> set[tuple[str, str]]:
    """Method and path of whatever the client's methods send first; each is refused."""
    found: set[tuple[str, str]] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        found.add((request.method, request.url.path))
        return httpx.Response(422, json={"code": "invalid", "message": "no"})

    with Client(URL, transport=httpx.MockTransport(answer)) as client:
        for name, given, method in called(client):
            assert is_refused(method, given), f"{name} asked for nothing"
    return found


def unanswered(method: Callable[..., Any], given: dict[str, Any], sent: list[str]) -> str:
    """What a call of the client sends first; ``sent`` is filled by the transport, which answers 503."""
    sent.clear()
    with contextlib.suppress(errors.ClientError):
        result = method(**given)
        if isinstance(result, AbstractContextManager):
            result.__enter__()
        else:
            next(iter(result))
    return sent[0]


def is_refused(method: Callable[..., Any], given: dict[str, Any]) -> bool:
    """Call it, and begin whatever block or iterator it answers."""
    try:
        result = method(**given)
        if isinstance(result, AbstractContextManager):
            result.__enter__()
        else:
            next(iter(result))
    except errors.InvalidError:
        return True
    return False


def operations() -> set[tuple[str, str]]:
    """Those that a person's token opens: the others are a run's, or signed by others."""
    found = openapi.document("all", all_routes())["paths"]
    return {
        (method.upper(), path)
        for path, of_path in found.items()
        for method, operation in of_path.items()
        if any(openapi.PERSON in scheme for scheme in operation["security"])
    }


def test_every_operation_for_people_and_machines_is_reached_and_no_other() -> None:
    asked = sent()
    patterns = {
        (method, path): re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        for method, path in operations()
    }
    fit = {
        each: [
            one for one, form in patterns.items() if one[0] == each[0] and form.fullmatch(each[1])
        ]
        for each in asked
    }
    assert [each for each, names in fit.items() if not names] == []
    reached = {one for names in fit.values() for one in names}
    assert sorted(patterns.keys() - reached) == []


async def test_both_clients_have_the_same_rooms_and_methods() -> None:
    def shape(client: object) -> dict[str, list[tuple[str, str]]]:
        return {
            name: [
                (each.__name__, str(list(inspect.signature(each).parameters)))
                for each in methods(room)
            ]
            for name, room in rooms(client)
        }

    with Client(URL) as plain:
        async with AsyncClient(URL) as other:
            assert shape(plain) == shape(other)


def test_the_client_sends_again_by_itself_what_the_table_says_is_done_once() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        return httpx.Response(503, json={"code": "unavailable", "message": "no"})

    once = (Repeat.BY_KEY, Repeat.ONCE, Repeat.HARMLESS)
    forms = {each: re.compile(re.sub(r"\{\w+\}", "[^/]+", each)) for each in repeats.TABLE}
    policy, transport = RetryPolicy(tries=2), httpx.MockTransport(answer)
    found = {}
    with Client(URL, transport=transport, policy=policy, sleep=lambda _: None) as client:
        for _, given, method in called(client):
            first = unanswered(method, given, sent)
            for route in (each for each, form in forms.items() if form.fullmatch(first)):
                found[route] = sent.count(first) > 1
    assert found == {route: repeats.TABLE[route] in once for route in found}
    assert set(found.values()) == {True, False}


def test_every_answer_in_json_has_its_type() -> None:
    plain = {
        name
        for name, each in vars(known).items()
        if isinstance(each, Operation) and each.answer is bytes
    }
    assert plain == {"READ_LOG", "READ_ARTIFACT", "STREAM_JOB", "EXPORT_AUDIT"}
