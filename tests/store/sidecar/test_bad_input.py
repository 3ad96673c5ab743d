"""Whatever is put into a path, a query or a body, it is the caller's fault, and the records are as they were."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from yarl import URL

from coxswain.sidecar.event_routes import EVENT_STREAM
from coxswain.store.pool import Store
from tests.store.sidecar.test_bodies import ODD
from tests.support import sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

# As they stand in an address.
TRICKS = (
    "",
    "'",
    "%27%20OR%20%271%27=%271",
    "1;DROP%20TABLE%20events;--",
    "%27);DELETE%20FROM%20mirror;--",
    "..%2F..%2Fetc%2Fpasswd",
    "..",
    "%2e%2e%2f",
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "%F0%9F%92%A9",
    "%E2%80%AE",
    "$%7Bjndi:ldap://x%7D",
    "%7B%7B7*7%7D%7D",
    "*",
    "-1",
    "9223372036854775808",
    "1e309",
    "NaN",
    "true",
    "null",
    "%5B%5D",
    "a" * 5000,
)
GOOD = {"workspace": "team", "name": "first", "artifact": "a", "hash": "0" * 64, "key": "0" * 16}
UUID = "00000000-0000-7000-8000-000000000000"
# Of these bodies nothing can be made, whatever the route reads.
HOPELESS = ("number", "list", "cut", "no utf-8", "deep", "half a pair", "control", "null")
RATES = {"requests_at_once": 1_000_000, "agent_requests_at_once": 1_000_000}


@pytest_asyncio.fixture
async def patient(database: Database, operator_store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with sidecar_api.running(database, operator_store, tmp_path, **RATES) as api:
        yield api


async def operations(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    async with api.user.get("/v1/openapi.json") as answer:
        document = await answer.json()
    return [
        (method.upper(), path, operation)
        for path, each in document["paths"].items()
        for method, operation in each.items()
    ]


def tricked(path: str, parameters: list[dict[str, Any]]) -> Iterator[str]:
    """Each address of an operation with a trick in one place."""
    good = {**GOOD, "delivery": UUID}
    for each in parameters:
        for trick in TRICKS:
            if each["in"] == "path":
                yield path.format(**good | {each["name"]: trick})
            elif each["in"] == "query":
                yield f"{path.format(**good)}?{each['name']}={trick}"


async def test_tricks_in_every_place_of_an_address_are_the_callers_fault(
    patient: Api, database: Database
) -> None:
    await patient.mirrored("first")
    _, _, pod = await patient.claimed()
    headers = {"person": dict(patient.user.headers), "pod": pod}
    sent, wrong = 0, []
    for method, path, operation in await operations(patient):
        scheme = next(name for each in operation["security"] for name in each)
        for address in tricked(path, operation["parameters"]):
            url = URL(f"{patient.url}{address}", encoded=True)
            asked = patient.anybody.request(method, url, headers=headers[scheme])
            async with asked as answer:
                if answer.content_type == EVENT_STREAM:
                    # It found nothing wrong with it, and goes on for as long as somebody reads.
                    sent += 1
                    continue
                try:
                    text = await answer.text()
                except aiohttp.ClientPayloadError:
                    wrong.append((method, address[:200], 0, "cut"))
                    continue
            sent += 1
            if answer.status == 403 or (answer.status >= 500 and '"kubernetes' not in text):
                wrong.append((method, address[:200], answer.status, text[:200]))
    assert wrong == []
    assert sent > 1500
    connection = await asyncpg.connect(database.owner)
    assert await connection.fetchval("SELECT name FROM mirror") == "first"
    assert await connection.fetchval("SELECT count(*) FROM events") >= 0
    await connection.close()


@pytest.mark.parametrize("kind", HOPELESS)
async def test_a_body_of_which_nothing_can_be_made_is_refused_at_every_route(
    patient: Api, kind: str
) -> None:
    _, _, pod = await patient.claimed()
    headers = {"person": dict(patient.user.headers), "pod": pod}
    wrong = []
    for method, path, operation in await operations(patient):
        if "application/json" not in operation.get("requestBody", {}).get("content", {}):
            continue
        scheme = next(name for each in operation["security"] for name in each)
        url = path.format(**GOOD, delivery=UUID)
        known = headers[scheme] | {"Content-Type": "application/json"}
        async with patient.anybody.request(method, url, data=ODD[kind], headers=known) as answer:
            problem = await answer.json(content_type="application/problem+json")
        if answer.status not in {400, 422}:
            wrong.append((method, path, answer.status, problem))
    assert wrong == []


async def test_a_body_that_is_told_to_be_too_large_is_refused_before_it_comes(
    patient: Api,
) -> None:
    _, _, pod = await patient.claimed()
    headers = {"person": dict(patient.user.headers), "pod": pod}
    address = URL(patient.url)
    wrong = []
    for method, path, operation in await operations(patient):
        scheme = next(name for each in operation["security"] for name in each)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        lines = [
            f"{method} {path.format(**GOOD, delivery=UUID)} HTTP/1.1",
            "Host: x",
            "Content-Type: application/json",
            f"Content-Length: {10**12}",
            f"Authorization: {headers[scheme]['Authorization']}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        if b" 413 " not in line:
            wrong.append((method, path, line))
    assert wrong == []
