"""The whole installation: how its processes are, what is measured, what it runs with, its flags."""

from collections.abc import Mapping

from coxswain.client import operations
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import FlagList, HealthView, MetricsView, RunningConfig
from coxswain.client.requests import Request


class Installation:
    """``client.installation``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def health(self) -> HealthView:
        """How all processes are."""
        return await self._transport.ask(Request(operations.READ_HEALTH))

    async def metrics(
        self, workspace: str | None = None, *, window_seconds: int | None = None
    ) -> MetricsView:
        """Jobs by phase, what holds them back, counters of the last so many seconds, active alerts."""
        query = {"workspace": workspace, "windowSeconds": window_seconds}
        return await self._transport.ask(Request(operations.READ_METRICS, query=query))

    async def config(self) -> RunningConfig:
        """What it runs with; no secrets."""
        return await self._transport.ask(Request(operations.GET_CONFIG))

    async def flags(self) -> FlagList:
        """What can be changed while everything runs."""
        return await self._transport.ask(Request(operations.GET_FLAGS))

    async def change_flags(self, changes: Mapping[str, bool | None], *, reason: str) -> FlagList:
        """Change flags by name, all or none; None leaves one to the setting of its process."""
        body = {**changes, "reason": reason}
        return await self._transport.ask(
            Request(operations.CHANGE_FLAGS, body=body, keeps_none=True, is_harmless=True)
        )
