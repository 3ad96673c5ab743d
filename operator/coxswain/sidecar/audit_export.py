"""An export of the audit log as JSON Lines, with all that its proof needs.

Per workspace the chain of seals up to the head as it is when its turn comes; the rows of each seal that
covers one that is asked for, the others of it as their digests; then what is not sealed yet.
``rules.audit_proof`` reads it.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from coxswain.api.audit import AuditRow, Seal
from coxswain.rules import audit_chain, audit_proof
from coxswain.store import audit, audit_seals
from coxswain.store.audit import Cursor, Query
from coxswain.store.pool import Store


class Export:
    """One export; ``lines`` gives it piece by piece, each of some whole lines."""

    def __init__(self, store: Store, installation: str, query: Query, after: int | None) -> None:
        self._store = store
        self._installation = installation
        self._query = query
        self._after = after
        self._counts = {"seals": 0, "rows": 0, "omitted": 0, "unsealed": 0}

    async def lines(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        """The whole of it. Raises what the database says."""
        workspaces = await self._workspaces()
        yield _line(
            "export",
            {
                "version": audit_proof.VERSION,
                "installation": self._installation,
                "asked": asked,
                "at": audit_chain.time(datetime.now(UTC)),
            },
        )
        for workspace in workspaces:
            query = replace(self._query, workspace=workspace)
            head = await self._store.run(audit_seals.head, workspace)
            if head is not None:
                async for part in self._chain(query, workspace, head.body.number):
                    yield part
            async for part in self._unsealed(query, head.body.number if head else 0):
                yield part
        yield _line("end", self._counts)

    async def _workspaces(self) -> list[str]:
        if self._query.workspace is not None:
            return [self._query.workspace]
        return await self._store.run(audit_seals.workspaces)

    async def _chain(self, query: Query, workspace: str, head: int) -> AsyncIterator[bytes]:
        is_whole = replace(query, workspace=None).is_open
        after = await self._start(query, head, is_whole=is_whole)
        while seals := await self._store.run(audit_seals.chain, workspace, after, head):
            for seal in seals:
                yield await self._sealed(query, seal, is_whole=is_whole)
            after = seals[-1].body.number

    async def _start(self, query: Query, head: int, *, is_whole: bool) -> int:
        """The number before the first seal that is shown."""
        if self._after is not None:
            return self._after - 1
        if is_whole:
            return 0
        first = await self._store.run(audit_seals.first_with, query)
        return min(first if first is not None else head, head) - 1

    async def _sealed(self, query: Query, seal: Seal, *, is_whole: bool) -> bytes:
        """A seal with its rows, if it is to show any."""
        if seal.body.number == self._after:
            # Where the chain is taken up, so that its end is seen where nothing follows.
            self._counts["seals"] += 1
            return _line("seal", _seal(seal, is_shown=False))
        rows = []
        if seal.dropped_at is None:
            rows = list(await self._store.run(audit_seals.covered, query, seal.body.number))
        if seal.dropped_at is None and len(rows) < seal.body.rows:
            seal = await self._again(seal)
        is_shown = is_whole or any(is_meant for _, is_meant in rows)
        self._counts["seals"] += 1
        lines = [_line("seal", _seal(seal, is_shown=is_shown))]
        if is_shown and seal.dropped_at is None:
            lines += [self._row(row, is_meant=is_meant) for row, is_meant in rows]
        return b"".join(lines)

    async def _again(self, seal: Seal) -> Seal:
        """The seal as it is now: its rows may have been dropped since it was read."""
        workspace, number = seal.body.workspace, seal.body.number
        found = await self._store.run(audit_seals.chain, workspace, number - 1, number)
        return found[0] if found else seal

    def _row(self, row: AuditRow, *, is_meant: bool) -> bytes:
        written = audit_chain.row(row)
        self._counts["rows" if is_meant else "omitted"] += 1
        if is_meant:
            return _line("row", written)
        return _line("omitted", audit_chain.digest_of_row(written))

    async def _unsealed(self, query: Query, head: int) -> AsyncIterator[bytes]:
        after: Cursor | None = None
        while rows := await self._store.run(audit_seals.uncovered, query, head, after):
            self._counts["unsealed"] += len(rows)
            yield b"".join(_line("unsealed", audit_chain.row(row)) for row in rows)
            after = audit.Cursor(rows[-1].at, rows[-1].entry.id)


def _seal(seal: Seal, *, is_shown: bool) -> dict[str, Any]:
    dropped = audit_chain.time(seal.dropped_at) if seal.dropped_at is not None else None
    return {
        "body": audit_chain.seal(seal.body),
        "signature": seal.signature,
        "shown": is_shown,
        "droppedAt": dropped,
    }


def _line(kind: str, content: Any) -> bytes:
    text = json.dumps({kind: content}, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"
