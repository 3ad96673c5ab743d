"""Every revision that etcd holds, read through its own HTTP gateway.

The API server has to keep its objects as JSON (``FLAGS``), and nobody may compact.
"""

import asyncio
from base64 import b64decode, b64encode
from typing import Any

import aiohttp
import orjson

from tests.faults.history import Body, Change
from tests.faults.proxy.relay import split

FLAGS = ("--storage-media-type=application/json",)
ALL = {"key": b64encode(b"\0").decode(), "range_end": b64encode(b"\0").decode()}
READ_SECONDS = 30.0


class Etcd:
    """One server, by its client address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def revision(self) -> int:
        """The newest one."""
        wanted = {**ALL, "limit": "1", "keys_only": True}
        async with (
            aiohttp.ClientSession(self._url, raise_for_status=True) as session,
            session.post("/v3/kv/range", json=wanted) as answered,
        ):
            found = orjson.loads(await answered.read())
        return int(found["header"]["revision"])

    async def changes(self, after: int, upto: int) -> list[Change]:
        """What happened in the revisions after one and up to another, oldest first."""
        if upto <= after:
            return []
        wanted = {"create_request": {**ALL, "start_revision": str(after + 1), "prev_kv": True}}
        found: list[Change] = []
        async with (
            asyncio.timeout(READ_SECONDS),
            aiohttp.ClientSession(self._url, raise_for_status=True) as session,
            session.post("/v3/watch", json=wanted) as answered,
        ):
            async for line in split(answered.content.iter_any()):
                for event in _events(line):
                    revision = int(event["kv"]["mod_revision"])
                    change = _change(revision, event)
                    if change is not None and revision <= upto:
                        found.append(change)
                    # A revision has one event: the API server writes one object at a time.
                    if revision >= upto:
                        return found
        raise EOFError("etcd ended its watch before the last revision")


def _events(line: bytes) -> list[Body]:
    answer = orjson.loads(line)
    if "error" in answer:
        raise RuntimeError(f"etcd: {answer['error']}")
    found = answer["result"]
    if found.get("canceled"):
        raise RuntimeError(f"etcd has ended the watch: {found.get('cancel_reason', '')}")
    events: list[Body] = found.get("events", [])
    return events


def _change(revision: int, event: Body) -> Change | None:
    before = _object(event.get("prev_kv"))
    after = _object(event["kv"]) if event.get("type") != "DELETE" else None
    if before is None and after is None:
        return None
    return Change(revision, before, after)


def _object(pair: Body | None) -> Body | None:
    """The object under a key; None for what is none, such as an allocation of addresses."""
    text = b64decode(pair.get("value", "")) if pair else b""
    if not text.startswith(b"{"):
        return None
    found: Any = orjson.loads(text)
    if not isinstance(found, dict) or "metadata" not in found:
        return None
    found["metadata"].pop("managedFields", None)
    return found
