# Made by hack/generate from operator/coxswain/client/asynchronous; do not edit.
"""API keys of machines: made, listed, revoked by admins of the whole installation."""

from collections.abc import Sequence
from datetime import datetime

from coxswain.client import operations
from coxswain.client.models import KeyView, MadeKey
from coxswain.client.requests import Request
from coxswain.client.synchronous.transport import Transport


class Keys:
    """``client.keys``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        name: str,
        role: str,
        *,
        workspaces: Sequence[str] | None = None,
        queues: Sequence[str] | None = None,
        expires_at: datetime | None = None,
    ) -> MadeKey:
        """Make a key with the role Read or Admin; ``secret`` of the answer is shown this once.

        It is not sent again after an answer that was lost: revoke what was made, and make another.
        """
        body = {
            "name": name,
            "role": role,
            "workspaces": workspaces,
            "queues": queues,
            "expiresAt": expires_at,
        }
        return self._transport.ask(Request(operations.CREATE_KEY, body=body))

    def list(self, *, revoked: bool = False) -> Sequence[KeyView]:
        """Keys, newest first; with ``revoked`` those too."""
        query = {"revoked": revoked}
        return (self._transport.ask(Request(operations.LIST_KEYS, query=query))).items

    def revoke(self, key: str) -> KeyView:
        """End a key, by its id."""
        return self._transport.ask(Request(operations.REVOKE_KEY, {"key": key}, is_harmless=True))
