# Made by hack/generate from operator/coxswain/client/asynchronous; do not edit.
"""Agents: read. They are made with kubectl, Helm or Git."""

from collections.abc import Iterator

from coxswain.client import operations, requests
from coxswain.client.models import Resource
from coxswain.client.requests import Request
from coxswain.client.synchronous.transport import Transport


class Agents:
    """``client.agents``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, workspace: str, name: str) -> Resource:
        """Read an Agent."""
        path = {"workspace": workspace, "name": name}
        return self._transport.ask(Request(operations.GET_AGENT, path))

    def list(
        self, workspace: str | None = None, *, phase: str | None = None, page: int | None = None
    ) -> Iterator[Resource]:
        """Agents, newest first: of a workspace, or of all that one may see. ``page`` at a time."""
        within = operations.LIST_WORKSPACE_AGENTS
        wanted = {"phase": phase, "limit": page}
        return self._transport.each(
            requests.listing(operations.LIST_AGENTS, within, workspace, **wanted)
        )
