"""The API server as this process needs it: three calls, from the moment its account is there.

The process starts without the account, which the operator hands over; until then, and while the
API server is away, what needs it answers 503.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from coxswain.errors import ConfigurationError, UnavailableError
from coxswain.kube.client import Client
from coxswain.web import request_ids

NOT_THERE = "kubernetes_unavailable"
Body = dict[str, Any]


class Objects(Protocol):
    """What routes ask of the API server."""

    async def get(self, path: str, params: dict[str, str] | None = None) -> Body:
        """Read an object. Raises NotFoundError, UnavailableError."""
        ...

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Make an object. Raises UserError with the field, ConflictError, ForbiddenError."""
        ...

    async def patch(self, path: str, body: Body) -> Body:
        """Merge a change into an object. Raises ConflictError on a stale resourceVersion."""
        ...


class Announced:
    """A cluster of which every change is announced before it is made."""

    def __init__(self, cluster: Objects, announce: Callable[[], Awaitable[None]]) -> None:
        self._cluster = cluster
        self._announce = announce

    async def get(self, path: str, params: dict[str, str] | None = None) -> Body:
        """Read an object."""
        return await self._cluster.get(path, params)

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Make an object."""
        await self._announce()
        return await self._cluster.create(path, body, params)

    async def patch(self, path: str, body: Body) -> Body:
        """Merge a change into an object."""
        await self._announce()
        return await self._cluster.patch(path, body)


class Cluster:
    """Connects at the first call for which there is an account."""

    def __init__(self, kubeconfig: Path | None, account: Path | None) -> None:
        self._kubeconfig = kubeconfig
        self._account = account
        self._client: Client | None = None

    async def get(self, path: str, params: dict[str, str] | None = None) -> Body:
        """Read an object."""
        return await (await self._connected()).get(path, params)

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Make an object."""
        return await (await self._connected()).create(path, body, params)

    async def patch(self, path: str, body: Body) -> Body:
        """Merge a change into an object."""
        return await (await self._connected()).patch(path, body)

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()

    async def _connected(self) -> Client:
        if self._client is None:
            try:
                self._client = await Client.connect(
                    self._kubeconfig, self._account, request_id=request_ids.current
                )
            except ConfigurationError as error:
                raise UnavailableError(
                    f"the API server cannot be asked yet: {error.message}", code=NOT_THERE
                ) from error
        return self._client
