"""Callbacks that are owed: what was delivered, what was given up, and another round for it."""

from collections.abc import AsyncIterator
from uuid import UUID

from coxswain.client import operations, requests
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import DeliveryView, DeliveryWithTries
from coxswain.client.requests import Request


class Deliveries:
    """``client.deliveries``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        workspace: str | None = None,
        *,
        state: str | None = None,
        job: str | None = None,
        page: int | None = None,
    ) -> AsyncIterator[DeliveryView]:
        """Deliveries, newest first: of a workspace, or of all that one may see. ``page`` at a time."""
        within = operations.LIST_WORKSPACE_DELIVERIES
        wanted = {"state": state, "job": job, "limit": page}
        return self._transport.each(
            requests.listing(operations.LIST_DELIVERIES, within, workspace, **wanted)
        )

    async def get(self, workspace: str, delivery: UUID | str) -> DeliveryWithTries:
        """A delivery with what came of each try."""
        path = {"workspace": workspace, "delivery": str(delivery)}
        return await self._transport.ask(Request(operations.GET_DELIVERY, path))

    async def redrive(self, workspace: str, delivery: UUID | str, *, reason: str) -> DeliveryView:
        """Have a dead or skipped delivery tried again.

        It is not sent again after an answer that was lost: that could be another round.
        """
        path = {"workspace": workspace, "delivery": str(delivery)}
        body = {"reason": reason}
        return await self._transport.ask(Request(operations.REDRIVE_DELIVERY, path, body=body))
