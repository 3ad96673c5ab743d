"""Sends requests, and sends them again by the policy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from coxswain.client import errors, options, requests
from coxswain.client.asynchronous.waiting import Sleep
from coxswain.client.errors import ClientError, Reply
from coxswain.client.options import Options
from coxswain.client.requests import Page, Request
from coxswain.client.retries import Retries

A = TypeVar("A")
T = TypeVar("T")


class Transport:
    """The one way to the API of one client."""

    def __init__(self, http: httpx.AsyncClient, given: Options, sleep: Sleep) -> None:
        self._http = http
        self._options = given
        self.sleep = sleep

    def retries(self) -> Retries:
        """Count the failures of one call."""
        return Retries(self._options.policy, self._options.pacing)

    def seconds(self) -> float:
        """The time, from any zero."""
        return self._options.pacing.clock()

    async def ask(self, request: Request[A]) -> A:
        """The answer. Raises a ClientError, where it may help only after the last try."""
        retries = self.retries()
        while True:
            try:
                return requests.read(request, await self._once(request))
            except ClientError as error:
                pause = retries.pause_after(error, may_repeat=request.may_repeat)
                if pause is None:
                    raise
            await self.sleep(pause)

    async def each(self, request: Request[Page[T]]) -> AsyncIterator[T]:
        """What a list holds, page by page, as far as it is read."""
        while True:
            page = await self.ask(request)
            for each in page.items:
                yield each
            if page.next is None:
                return
            request = replace(request, query={**request.query, "cursor": page.next})

    @asynccontextmanager
    async def opened(self, request: Request[Any]) -> AsyncIterator[httpx.Response]:
        """An answer that goes on, once. Whatever the connection does in the block is a ClientError."""
        try:
            async with self._http.stream(**self._options.words_of_stream(request)) as response:
                if not 200 <= response.status_code < 300:
                    await response.aread()
                    raise errors.of(options.reply(response))
                yield response
        except httpx.TransportError as error:
            raise options.failure(error) from error

    async def _once(self, request: Request[Any]) -> Reply:
        try:
            return options.reply(await self._http.request(**self._options.words(request)))
        except httpx.TransportError as error:
            raise options.failure(error) from error
