"""API keys of machines: made, listed, revoked by admins of the whole installation."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from coxswain.client import operations, requests
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import KeyView, MadeKey
from coxswain.client.requests import Request


class Keys:
    """``client.keys``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        name: str,
        role: str,
        *,
        workspaces: Sequence[str] | None = None,
        queues: Sequence[str] | None = None,
        expires_at: datetime | None = None,
        key: str | None = None,
    ) -> MadeKey:
        """Make a key with the role Read or Admin; ``secret`` of the answer is shown this once.

        It is made once, however often it is sent. Where the answer with its secret was lost, a repeat is
        ConflictError key_made_already, which names what was made: revoke that, and make another.
        """
        body = {
            "name": name,
            "role": role,
            "workspaces": workspaces,
            "queues": queues,
            "expiresAt": expires_at,
        }
        return await self._transport.ask(
            Request(operations.CREATE_KEY, body=body, headers=requests.once(key), is_harmless=True)
        )

    def list(self, *, revoked: bool = False, page: int | None = None) -> AsyncIterator[KeyView]:
        """Keys, newest first; with ``revoked`` those too. ``page`` at a time."""
        query = {"revoked": revoked, "limit": page}
        return self._transport.each(Request(operations.LIST_KEYS, query=query))

    async def revoke(self, key: str, *, reason: str) -> KeyView:
        """End a key, by its id."""
        path, body = {"key": key}, {"reason": reason}
        return await self._transport.ask(
            Request(operations.REVOKE_KEY, path, body=body, is_harmless=True)
        )
