# Made by hack/generate from operator/coxswain/client/asynchronous; do not edit.
"""Leases: taken, kept, let go, with their fencing token."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from coxswain.api.meta import Model
from coxswain.client import operations, requests
from coxswain.client.errors import ConflictError
from coxswain.client.models import LeaseView, RenewAnswer, Resource
from coxswain.client.requests import Operation, Request
from coxswain.client.synchronous.holding import Held
from coxswain.client.synchronous.transport import Transport

WAIT_SECONDS = 60
"""So long the platform waits in one request."""
HELD_BY_ANOTHER = frozenset({"lease_held", "lease_awaited", "lease_quarantined"})


class Leases:
    """``client.leases``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        workspace: str,
        name: str,
        spec: Model | Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Resource:
        """Make a Lease: once, however often it is sent."""
        metadata = {"name": name} if labels is None else {"name": name, "labels": labels}
        body = {"metadata": metadata, "spec": requests.spec_of(spec)}
        return self._transport.ask(
            Request(
                operations.CREATE_LEASE,
                {"workspace": workspace},
                body=body,
                headers=requests.once(key),
                is_harmless=True,
            )
        )

    def get(self, workspace: str, name: str) -> LeaseView:
        """A lease as it is at this moment."""
        return self._transport.ask(Request(operations.GET_LEASE, _path(workspace, name)))

    def list(
        self,
        workspace: str | None = None,
        *,
        state: str | None = None,
        holder: str | None = None,
        page: int | None = None,
    ) -> Iterator[LeaseView]:
        """Leases by name: of a workspace, or of all that one may see. ``page`` at a time."""
        wanted = {"state": state, "holder": holder, "limit": page}
        within = operations.LIST_WORKSPACE_LEASES
        return self._transport.each(
            requests.listing(operations.LIST_LEASES, within, workspace, **wanted)
        )

    @contextmanager
    def hold(
        self,
        workspace: str,
        name: str,
        *,
        holder: str | None = None,
        wait_seconds: float = 0.0,
        steal: bool = False,
        reason: str | None = None,
    ) -> Iterator[Held]:
        """Hold a lease for the length of a block: taken, renewed beside the block, let go.

        Without ``holder`` each block is a holder of its own. ConflictError lease_held or
        lease_awaited after ``wait_seconds`` in its line. LeaseLostError at the end of a block in
        which it was lost. ``steal`` wants a ``reason``.
        """
        chosen = holder or f"client-{uuid4().hex}"
        theft = {"steal": steal, "reason": reason}
        taken = self._taken(workspace, name, chosen, wait_seconds, theft)
        held = Held(self, self._transport, taken, chosen)
        try:
            held.begin()
            yield held
        finally:
            held.end()
        held.require_kept()

    def acquire(
        self,
        workspace: str,
        name: str,
        *,
        holder: str | None = None,
        wait_seconds: int = 0,
        steal: bool = False,
        reason: str | None = None,
    ) -> LeaseView:
        """Take a lease; the same again by its holder answers the same. ``wait_seconds`` up to 60.

        ``steal`` wants a ``reason``, and is not sent again after an answer that was lost: that could
        be from another.
        """
        body = {"holder": holder, "waitSeconds": wait_seconds, "steal": steal, "reason": reason}
        return self._transport.ask(
            Request(
                operations.ACQUIRE_LEASE,
                _path(workspace, name),
                body=body,
                is_harmless=not steal,
                more_seconds=wait_seconds,
            )
        )

    def renew(
        self, workspace: str, name: str, token: int, *, holder: str | None = None
    ) -> LeaseView:
        """Keep it for its whole time from now on. LeaseLostError where it is not one's own any more."""
        body = {"token": token, "holder": holder}
        return self._ask(operations.RENEW_LEASE, workspace, name, body)

    def renew_many(self, workspace: str, renewals: Sequence[Mapping[str, Any]]) -> RenewAnswer:
        """Renew up to 1,000 at once, each with ``name``, ``token`` and perhaps ``holder``."""
        path, body = {"workspace": workspace}, {"renewals": renewals}
        return self._transport.ask(
            Request(operations.RENEW_LEASES, path, body=body, is_harmless=True)
        )

    def release(
        self, workspace: str, name: str, token: int, *, holder: str | None = None
    ) -> LeaseView:
        """Let it go. LeaseLostError where it is not one's own any more."""
        body = {"token": token, "holder": holder}
        return self._ask(operations.RELEASE_LEASE, workspace, name, body)

    def reclaim(self, workspace: str, name: str, token: int, *, reason: str) -> LeaseView:
        """Say that the holder of this token is gone for good. For admins."""
        body = {"token": token, "reason": reason}
        return self._ask(operations.RECLAIM_LEASE, workspace, name, body)

    def _taken(
        self,
        workspace: str,
        name: str,
        holder: str,
        wait_seconds: float,
        theft: Mapping[str, Any],
    ) -> LeaseView:
        """Asked for again and again, which keeps the place in its line."""
        until = self._transport.seconds() + wait_seconds
        while True:
            left = max(0, min(WAIT_SECONDS, math.ceil(until - self._transport.seconds())))
            try:
                return self.acquire(workspace, name, holder=holder, wait_seconds=left, **theft)
            except ConflictError as error:
                if error.code not in HELD_BY_ANOTHER or left == 0:
                    raise

    def _ask(
        self,
        operation: Operation[LeaseView],
        workspace: str,
        name: str,
        body: Mapping[str, Any],
    ) -> LeaseView:
        path = _path(workspace, name)
        return self._transport.ask(Request(operation, path, body=body, is_harmless=True))


def _path(workspace: str, name: str) -> dict[str, str]:
    return {"workspace": workspace, "name": name}
