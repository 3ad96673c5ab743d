"""A client that asks again until the API server answers: for people and kubelets in whose world it may be away."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from typing_extensions import override

from coxswain.errors import ConflictError, NotFoundError, TransientError, UserError
from coxswain.kube.client import MERGE_PATCH, Body, Client

AGAIN_SECONDS = 0.2
T = TypeVar("T")


class PatientClient(Client):
    """What it is told to make or delete may be so already when it asks again, and then it was itself."""

    @override
    async def get(self, path: str, params: dict[str, str] | None = None) -> Body:
        return await _until_answered(partial(super().get, path, params))

    @override
    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        asked = partial(super().create, path, body, params)
        return await _once(asked, ConflictError, body)

    @override
    async def patch(
        self,
        path: str,
        body: Body | list[Body],
        content_type: str = MERGE_PATCH,
        params: dict[str, str] | None = None,
    ) -> Body:
        return await _until_answered(partial(super().patch, path, body, content_type, params))

    @override
    async def delete(
        self,
        path: str,
        *,
        uid: str,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
    ) -> None:
        asked = partial(super().delete, path, uid=uid, resource_version=resource_version)
        await _once(partial(asked, grace_seconds=grace_seconds), NotFoundError, None)


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await ask()
        except TransientError:
            await asyncio.sleep(AGAIN_SECONDS)


async def _once(ask: Callable[[], Awaitable[T]], is_done: type[UserError], found: T) -> T:
    """The same of what can be done once; ``found`` where a repeat is refused, for the one before came through."""
    try:
        return await ask()
    except TransientError:
        await asyncio.sleep(AGAIN_SECONDS)
    try:
        return await _until_answered(ask)
    except is_done:
        return found
