"""Seals the audit log, again and again, as the leader: the chain of each workspace grows by what waits.

Under the epoch like every other write, one transaction per seal. Killed at any line, the chain is as
it was or longer by a whole seal, and whoever leads next goes on there. What it signs goes on only from
a seal that a key of ours has signed: a chain that somebody else continued is left alone, and told of.
"""

import asyncio
from pathlib import Path

import structlog

from coxswain.api.audit import Ahead, Seal
from coxswain.errors import CoxswainError, FencedError
from coxswain.reconcile.fence import Fence
from coxswain.rules import audit_chain, audit_keys
from coxswain.rules.audit_keys import SealingKeys
from coxswain.store import audit_seals
from coxswain.telemetry import metrics

log = structlog.get_logger()

PERIOD_SECONDS = 30.0
PAUSE_SECONDS = 0.02
# Between two looks whether the database knows us as the leader, which it does soon.
UNKNOWN_SECONDS = 0.5
NO_KEY = "audit_key"
BROKEN = "audit_chain"


class Sealing:
    """One for each time of leading; ``run`` is its task. Without a key file it only measures."""

    def __init__(self, fence: Fence, installation: str, key_file: Path | None) -> None:
        self._fence = fence
        self._installation = installation
        self._key_file = key_file
        self._published = ""

    async def run(self, period: float = PERIOD_SECONDS) -> None:
        """Seal what waits, until cancelled; while the database is away, later."""
        if self._key_file is None:
            log.warning("the audit log is not sealed: COXSWAIN_AUDIT_KEY_FILE names no key")
        while True:
            if self._fence.is_taken:
                await self._round()
                await asyncio.sleep(period)
            else:
                await asyncio.sleep(UNKNOWN_SECONDS)

    async def _round(self) -> None:
        try:
            await self.once()
        except FencedError:
            raise
        except CoxswainError as error:
            _failed(error, "the audit log cannot be sealed now")

    async def once(self) -> None:
        """Seal all that waits now; a workspace that cannot be does not keep the others.

        Raises FencedError, and what the database or the key file says.
        """
        await self._measure()
        if self._key_file is None:
            return
        keys = await self._keys(self._key_file)
        for workspace in await self._fence.write(audit_seals.waiting):
            try:
                await self._seal(workspace, keys)
            except FencedError:
                raise
            except CoxswainError as error:
                _failed(error, "a chain of the audit log cannot be sealed", workspace=workspace)
        await self._measure()

    async def _seal(self, workspace: str, keys: SealingKeys) -> None:
        def sign(ahead: Ahead) -> Seal:
            return self._signed(ahead, workspace, keys)

        while sealed := await self._fence.write(audit_seals.seal, workspace, sign):
            metrics.AUDIT_SEALS.inc()
            metrics.AUDIT_ROWS_SEALED.inc(sealed)
            if sealed < audit_seals.ROWS_PER_SEAL:
                return
            await asyncio.sleep(PAUSE_SECONDS)

    def _signed(self, ahead: Ahead, workspace: str, keys: SealingKeys) -> Seal:
        if ahead.former is not None:
            _check(ahead.former, keys)
        body = audit_chain.following(ahead, workspace, self._installation, keys.public.id)
        written = audit_chain.seal(body)
        signature = keys.sign(audit_chain.signed(written))
        return Seal(body, audit_chain.digest_of_seal(written), signature)

    async def _keys(self, file: Path) -> SealingKeys:
        """The keys as the file has them now: a new one counts from the next seal on."""
        keys = _read(file)
        if keys.public.id != self._published:
            for key in (*keys.former, keys.public):
                await self._fence.write(audit_seals.keep_key, key.id, key.text)
            self._published = keys.public.id
        return keys

    async def _measure(self) -> None:
        found = await self._fence.write(audit_seals.backlog)
        metrics.AUDIT_UNSEALED.set(found.rows)
        metrics.AUDIT_UNSEALED_SECONDS.set(found.oldest_seconds)


def _read(file: Path) -> SealingKeys:
    try:
        return audit_keys.read(file.read_text())
    except (OSError, ValueError) as error:
        text = f"{file} is no key for the audit log: {error}"
        raise CoxswainError(text, code=NO_KEY) from error


def _check(former: Seal, keys: SealingKeys) -> None:
    """Refuse to go on from a seal that is not ours. Raises CoxswainError."""
    written = audit_chain.seal(former.body)
    is_whole = audit_chain.digest_of_seal(written) == former.digest
    signed = audit_chain.signed(written)
    if not is_whole or not keys.verifies(former.body.key_id, former.signature, signed):
        raise CoxswainError(
            f"seal {former.body.number} of workspace '{former.body.workspace}' was changed, or is signed"
            f" with a key that the key file does not name: {former.body.key_id}",
            code=BROKEN,
        )


def _failed(error: CoxswainError, sentence: str, **fields: str) -> None:
    metrics.AUDIT_SEAL_FAILURES.labels(code=error.code).inc()
    log.error(sentence, code=error.code, reason=error.message, **fields)
