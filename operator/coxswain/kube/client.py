"""The few calls that we need of the API server, over plain JSON.

Typed decoding would block the event loop on long lists, so objects stay dicts here; the rooms
turn them into types.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from coxswain.errors import UnavailableError
from coxswain.kube import answers, credentials
from coxswain.telemetry import pool_metrics

Body = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
# The cluster's token keys are served under a type of their own and under no other.
JSON = "application/json, application/jwk-set+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# What the API server takes over as the id of the line in its audit log.
REQUEST_ID = "Audit-ID"
PAGE = 500
CONNECTIONS = 64
REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 5.0
REQUEST_LIMITS = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS)


class Client:
    """A connection pool to one API server, under one identity."""

    def __init__(
        self,
        found: credentials.Credentials,
        before_write: Callable[[], None] = lambda: None,
        name: str = "coxswain",
        request_id: Callable[[], str] = lambda: "",
        *,
        streams: int = 0,
    ) -> None:
        """``before_write`` is asked before each change, and refuses it by raising.

        ``name`` is what the API server's audit log shows as the user agent; ``request_id`` says on
        whose behalf a call is made, and becomes the id of its line there. ``streams`` are so many
        calls that never end, beside which the others have their connections.
        """
        self.credentials = found
        self._before_write = before_write
        self._request_id = request_id
        connector = aiohttp.TCPConnector(limit=CONNECTIONS + streams, ssl=found.tls or True)
        self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": name})

    @classmethod
    async def connect(
        cls,
        kubeconfig: Path | None,
        account: Path | None = None,
        before_write: Callable[[], None] = lambda: None,
        name: str = "coxswain",
        request_id: Callable[[], str] = lambda: "",
        *,
        streams: int = 0,
    ) -> "Client":
        """Use a kubeconfig file, or the account mounted in ``account``, or the pod's own.

        Raises ConfigurationError where none of them is there.
        """
        if kubeconfig is not None:
            found = await credentials.from_kubeconfig(kubeconfig)
        else:
            found = credentials.from_account(account or credentials.POD_ACCOUNT)
        return cls(found, before_write, name, request_id, streams=streams)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def get(self, path: str, params: dict[str, str] | None = None) -> Body:
        """Read one object or list. Raises NotFoundError and the errors of ``answers``."""
        return await self._json("GET", path, params=params)

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Create an object. Raises ConflictError with code already_exists if it is there."""
        return await self._json("POST", path, body=body, params=params)

    async def replace(self, path: str, body: Body) -> Body:
        """Replace an object. Raises ConflictError if it carries a stale resourceVersion."""
        return await self._json("PUT", path, body=body)

    async def patch(
        self,
        path: str,
        body: Body | list[Body],
        content_type: str = MERGE_PATCH,
        params: dict[str, str] | None = None,
    ) -> Body:
        """Change an object; a stale resourceVersion in a merge patch raises ConflictError."""
        return await self._json("PATCH", path, body=body, content_type=content_type, params=params)

    async def delete(
        self,
        path: str,
        *,
        uid: str,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
    ) -> None:
        """Delete the object with this uid; another one of that name raises ConflictError."""
        preconditions = {"uid": uid}
        if resource_version is not None:
            preconditions["resourceVersion"] = resource_version
        body: Body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
        body["propagationPolicy"] = "Background"
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        await self._json("DELETE", path, body=body)

    async def text(self, path: str, params: dict[str, str] | None = None) -> str:
        """Read plain text, such as a pod's log."""
        async with self._call("GET", path, params=params) as response:
            return await response.text(errors="replace")

    async def lines(
        self, path: str, params: dict[str, str], *, silence_seconds: float
    ) -> AsyncGenerator[bytes]:
        """Read a stream line by line until its end; silence for so long is UnavailableError."""
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=silence_seconds
        )
        async with self._call("GET", path, params=params, limits=limits) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line

    async def pages(
        self, path: str, *, selector: str | None = None, metadata_only: bool = False
    ) -> AsyncIterator[Body]:
        """List a collection page by page; each item is a page as the API server sent it."""
        accept = METADATA_ONLY if metadata_only else JSON
        params = {"limit": str(PAGE)}
        if selector is not None:
            params["labelSelector"] = selector
        while True:
            page = await self._json("GET", path, params=params, accept=accept)
            # A list of metadata that holds nothing comes with null.
            page["items"] = page.get("items") or []
            yield page
            more = page.get("metadata", {}).get("continue")
            if not more:
                return
            params["continue"] = more

    async def _json(
        self,
        method: str,
        path: str,
        *,
        body: Body | list[Body] | None = None,
        params: dict[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = JSON,
    ) -> Body:
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": content_type, "Accept": accept}
        async with self._call(method, path, params=params, data=data, headers=headers) as response:
            found: Body = orjson.loads(await response.read())
            return found

    @asynccontextmanager
    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        limits: aiohttp.ClientTimeout = REQUEST_LIMITS,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if method != "GET":
            self._before_write()
        headers = dict(headers or {})
        token = self.credentials.token()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if request_id := self._request_id():
            headers[REQUEST_ID] = request_id
        url = self.credentials.url + quote(path)
        began, status = time.perf_counter(), "none"
        try:
            async with self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=limits,
            ) as response:
                status = f"{response.status // 100}xx"
                _observe(method, status, began)
                if response.status >= 400:
                    raise answers.error(
                        method, path, response.status, await response.read(), response.headers
                    )
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            if status == "none":
                _observe(method, status, began)
            raise UnavailableError(
                f"{method} {path}: the API server does not answer: {error!r}"
            ) from error


def _observe(method: str, status: str, began: float) -> None:
    pool_metrics.KUBE_SECONDS.labels(method, status).observe(time.perf_counter() - began)
