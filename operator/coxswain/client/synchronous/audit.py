# Made by hack/generate from operator/coxswain/client/asynchronous; do not edit.
"""The audit log: pages of it, the export with its proof, the public keys. For admins of the installation."""

import json
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from typing import Any

from coxswain.client import operations
from coxswain.client.errors import LostAnswerError
from coxswain.client.models import AuditKeyView, AuditView
from coxswain.client.requests import Request
from coxswain.client.synchronous.transport import Transport


class Audit:
    """``client.audit``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        workspace: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        actor: str | None = None,
        object: str | None = None,  # noqa: A002 - the API's word
        uid: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        page: int | None = None,
    ) -> Iterator[AuditView]:
        """Rows, newest first. ``actor`` is KIND:NAME or KIND, ``object`` KIND/NAME or KIND."""
        query = {
            **_slice(workspace, since, until),
            "actor": actor,
            "object": object,
            "uid": uid,
            "action": action,
            "outcome": outcome,
            "limit": page,
        }
        return self._transport.each(Request(operations.READ_AUDIT, query=query))

    def keys(self) -> Sequence[AuditKeyView]:
        """The public keys of the seals. Keep them elsewhere: a proof needs keys of one's own."""
        return (self._transport.ask(Request(operations.LIST_AUDIT_KEYS))).items

    def export(
        self,
        *,
        workspace: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        actor: str | None = None,
        object: str | None = None,  # noqa: A002 - the API's word
        uid: str | None = None,
        action: str | None = None,
        after: int | None = None,
    ) -> Generator[str, None, None]:
        """Lines of JSON with all that proves them; write them to a file for ``coxswain-audit verify``.

        It is not begun anew: LostAnswerError where it was cut, and what was read is then no export.
        """
        query = {
            **_slice(workspace, since, until),
            "actor": actor,
            "object": object,
            "uid": uid,
            "action": action,
            "after": after,
        }
        line, rest = "", b""
        with self._transport.opened(Request(operations.EXPORT_AUDIT, query=query)) as response:
            for data in response.iter_bytes():
                *lines, rest = (rest + data).split(b"\n")
                for each in lines:
                    line = each.decode()
                    yield line
        if rest or not _is_end(line):
            raise LostAnswerError("the export was cut: it has no line of its end")


def _slice(workspace: str | None, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    return {"workspace": workspace, "since": since, "until": until}


def _is_end(line: str) -> bool:
    return bool(line) and "end" in json.loads(line)
