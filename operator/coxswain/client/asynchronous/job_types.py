"""Job types of a workspace: listed, read, made, changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from coxswain.api.meta import Model
from coxswain.client import operations, requests
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import JobTypeView
from coxswain.client.requests import Request


class JobTypes:
    """``client.job_types``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, workspace: str) -> Sequence[JobTypeView]:
        """All types, those built in among them."""
        request = Request(operations.LIST_JOB_TYPES, {"workspace": workspace})
        return (await self._transport.ask(request)).items

    async def get(self, workspace: str, name: str) -> JobTypeView:
        """Read a type."""
        path = {"workspace": workspace, "name": name}
        return await self._transport.ask(Request(operations.GET_JOB_TYPE, path))

    async def create(
        self,
        workspace: str,
        name: str,
        spec: Model | Mapping[str, Any],
        *,
        key: str | None = None,
    ) -> JobTypeView:
        """Make a type: once, however often it is sent."""
        body = {"name": name, "spec": requests.spec_of(spec)}
        return await self._transport.ask(
            Request(
                operations.CREATE_JOB_TYPE,
                {"workspace": workspace},
                body=body,
                headers=requests.once(key),
                is_harmless=True,
            )
        )

    async def change(
        self,
        workspace: str,
        name: str,
        changes: Mapping[str, Any],
        *,
        version: str | None = None,
    ) -> JobTypeView:
        """Change a type: fields of its spec by their names in JSON; others stay.

        With ``version`` only if it is still as it was read.
        """
        path = {"workspace": workspace, "name": name}
        return await self._transport.ask(
            Request(
                operations.CHANGE_JOB_TYPE,
                path,
                body=changes,
                headers=requests.if_version(version),
                is_harmless=version is None,
            )
        )
