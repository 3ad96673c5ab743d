"""What models say while they say it, from the gateways to whoever watches: notifications, and nothing is kept.

A piece has no place in the log and may be lost; the whole answer is an event. Who watches which Jobs is told
the same way, again and again, so a gateway says nothing of Jobs that nobody watches.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from pydantic import TypeAdapter

from coxswain.store.pool import Connection
from coxswain.telemetry import logs

CHANNEL = "coxswain_deltas"
WATCHED = "coxswain_watched"
# A notification holds less than 8000 bytes.
PAYLOAD_BYTES = 7_900
# Of a piece: as JSON a character takes 6 bytes at most.
PIECE_CHARACTERS = 1200
JOBS_AT_ONCE = 200

log = logs.get(__name__)


@dataclass(frozen=True)
class Piece:
    """Some characters of one answer of a model; ``offset`` counts those that came before."""

    job_uid: str
    attempt: int
    call: str
    offset: int
    text: str

    @property
    def end(self) -> int:
        """The offset of what comes next."""
        return self.offset + len(self.text)


_PIECES = TypeAdapter(tuple[Piece, ...])


def packed(pieces: Iterable[Piece]) -> Iterator[str]:
    """Payloads with as many pieces in each as go in."""
    held: list[str] = []
    size = 2
    for piece in pieces:
        text = json.dumps(asdict(piece), separators=(",", ":"), ensure_ascii=False)
        taken = len(text.encode()) + 1
        if held and size + taken > PAYLOAD_BYTES:
            yield f"[{','.join(held)}]"
            held, size = [], 2
        held.append(text)
        size += taken
    if held:
        yield f"[{','.join(held)}]"


def unpacked(payload: str) -> tuple[Piece, ...]:
    """The pieces of a payload; none of one that makes no sense."""
    try:
        return _PIECES.validate_json(payload)
    except ValueError:
        log.warning("a notification about deltas makes no sense")
        return ()


async def tell(connection: Connection, payloads: Sequence[str]) -> None:
    """Send these to every process that listens, in one statement."""
    await _notify(connection, CHANNEL, payloads)


async def watch(connection: Connection, job_uids: Sequence[str]) -> None:
    """Tell the gateways that these Jobs are watched for the next while."""
    starts = range(0, len(job_uids), JOBS_AT_ONCE)
    payloads = [",".join(job_uids[start : start + JOBS_AT_ONCE]) for start in starts]
    await _notify(connection, WATCHED, payloads)


def watched(payload: str) -> tuple[str, ...]:
    """The Jobs of such a notification; none of one that makes no sense."""
    try:
        return tuple(str(UUID(each)) for each in payload.split(","))
    except ValueError:
        log.warning("a notification about who watches makes no sense")
        return ()


async def _notify(connection: Connection, channel: str, payloads: Sequence[str]) -> None:
    await connection.execute(
        "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said", channel, list(payloads)
    )
