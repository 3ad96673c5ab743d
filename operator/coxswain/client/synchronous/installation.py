# Made by hack/generate from operator/coxswain/client/asynchronous; do not edit.
"""The whole installation: how its processes are, what is measured, what it runs with, its flags."""

from collections.abc import Mapping

from coxswain.client import operations
from coxswain.client.models import FlagList, HealthView, MetricsView, RunningConfig
from coxswain.client.requests import Request
from coxswain.client.synchronous.transport import Transport


class Installation:
    """``client.installation``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def health(self) -> HealthView:
        """How all processes are."""
        return self._transport.ask(Request(operations.READ_HEALTH))

    def metrics(
        self, workspace: str | None = None, *, window_seconds: int | None = None
    ) -> MetricsView:
        """Jobs by phase, what holds them back, counters of the last so many seconds, active alerts."""
        query = {"workspace": workspace, "windowSeconds": window_seconds}
        return self._transport.ask(Request(operations.READ_METRICS, query=query))

    def config(self) -> RunningConfig:
        """What it runs with; no secrets."""
        return self._transport.ask(Request(operations.GET_CONFIG))

    def flags(self) -> FlagList:
        """What can be changed while everything runs."""
        return self._transport.ask(Request(operations.GET_FLAGS))

    def change_flags(self, changes: Mapping[str, bool | None], *, reason: str) -> FlagList:
        """Change flags by name, all or none; None leaves one to the setting of its process."""
        body = {**changes, "reason": reason}
        return self._transport.ask(
            Request(operations.CHANGE_FLAGS, body=body, keeps_none=True, is_harmless=True)
        )
