"""One kind, followed: what a list shows, then every change, for ever.

For what changes often. kopf copies each object several times on its way to a handler, and keeps
objects that were deleted while its stream was away; here a new list tells what is gone.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import structlog

from coxswain.errors import (
    CoxswainError,
    FencedError,
    ForbiddenError,
    NotFoundError,
    TransientError,
)
from coxswain.kube import answers
from coxswain.kube.client import Client

log = structlog.get_logger()

Raw = dict[str, Any]

SERVER_SECONDS = 300
SILENCE_SECONDS = 70.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0


class Change(NamedTuple):
    """An event of a watch: ADDED, MODIFIED or DELETED, and the object as it is then."""

    type: str
    raw: Raw


@dataclass(frozen=True)
class Hears:
    """Who hears of it. ``listed`` gets everything that there is, and the version of the list.

    ``refused`` hears that the collection may not be read or is not there: it is asked for again
    then, from a list on. Without it a missing collection ends the stream.
    """

    listed: Callable[[Sequence[Raw], int], None]
    changed: Callable[[Change], None]
    refused: Callable[[CoxswainError], None] | None = None


class Stream:
    """A collection, or the part of it that a label selector picks."""

    def __init__(self, client: Client, path: str, selector: str | None, hears: Hears) -> None:
        self._client = client
        self._path = path
        self._selector = selector
        self._hears = hears
        self._version: str | None = None
        self._following: asyncio.Timeout | None = None

    async def list(self) -> None:
        """Read everything once. Raises TransientError where the API server does not answer."""
        items: list[Raw] = []
        version = ""
        async for page in self._client.pages(self._path, selector=self._selector):
            version = version or str(page["metadata"]["resourceVersion"])
            items.extend(page["items"])
        self._hears.listed(items, int(version))
        self._version = version

    async def run(self) -> None:
        """Follow until cancelled; whatever breaks is begun again, after a wait that is bounded."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                if self._version is None:
                    await self.list()
                await self._follow_until_in_doubt()
                wait = FIRST_WAIT_SECONDS
            except FencedError:
                raise
            except (TransientError, ForbiddenError, NotFoundError) as error:
                if error.code == answers.GONE:
                    self._version = None
                    continue
                if not self.has_lost(error):
                    if isinstance(error, NotFoundError):
                        raise
                    log.warning("watch broke", path=self._path, error=error.message)
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                wait = min(LONGEST_WAIT_SECONDS, wait * 2)

    def has_lost(self, error: CoxswainError) -> bool:
        """Tell who wants to know that the collection is refused; whether anybody does."""
        if self._hears.refused is None or not isinstance(error, ForbiddenError | NotFoundError):
            return False
        self._version = None
        self._hears.refused(error)
        return True

    def list_anew(self) -> None:
        """Break off what is followed: rights that are gone do not end it, and a list shows them."""
        following, self._following = self._following, None
        if following is not None:
            following.reschedule(asyncio.get_running_loop().time())

    async def _follow_until_in_doubt(self) -> None:
        try:
            async with asyncio.timeout(None) as self._following:
                await self._follow()
        except TimeoutError:
            self._version = None
        finally:
            self._following = None

    async def _follow(self) -> None:
        """One request; the server ends it after some minutes, and its end is no error."""
        async with aclosing(self._events()) as events:
            async for event in events:
                kind, raw = event["type"], event["object"]
                if kind == "ERROR":
                    raise _refused(self._path, raw)
                self._version = raw["metadata"]["resourceVersion"]
                if kind != "BOOKMARK":
                    self._hears.changed(Change(kind, raw))

    async def _events(self) -> AsyncGenerator[Raw]:
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(SERVER_SECONDS),
            "resourceVersion": str(self._version),
        }
        if self._selector is not None:
            params["labelSelector"] = self._selector
        lines = self._client.lines(self._path, params, silence_seconds=SILENCE_SECONDS)
        async with aclosing(lines):
            async for line in lines:
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise TransientError(f"WATCH {self._path}: not an event") from error


def _refused(path: str, status: Raw) -> CoxswainError:
    code = int(status.get("code") or 500)
    return answers.error("WATCH", path, code, orjson.dumps(status), {})
