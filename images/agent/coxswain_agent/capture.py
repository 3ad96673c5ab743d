"""One output stream of a program: its beginning in memory, the whole in a file, pieces as events.

Three bounds: what goes out as events, what is kept as an artifact, what the caller reads. What does
not fit is said, never silently lost.
"""

import codecs
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from coxswain.api.contract import ARTIFACT_BYTES
from coxswain.api.event_types.run import Stream
from coxswain_agent import text

EVENT_CHARACTERS = 262_144
HEAD_BYTES = 1_048_576
PIECE_CHARACTERS = 16_384

Offer = Callable[[Stream, str], bool]


class Capture:
    """Feed it bytes; afterwards read ``head``, ``total`` and, if ``overflowed``, the file."""

    def __init__(self, stream: Stream, offer: Offer, spool: Path) -> None:
        self.stream = stream
        self.total = 0
        self.head = bytearray()
        self._offer = offer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._offered = 0
        self._full = False
        self._file = tempfile.NamedTemporaryFile(dir=spool, prefix="output-")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def overflowed(self) -> bool:
        """Whether some of it did not go out as events."""
        return self._full or self.total > HEAD_BYTES

    @property
    def truncated(self) -> bool:
        """Whether even the file holds only the beginning."""
        return self.total > ARTIFACT_BYTES

    @property
    def path(self) -> Path:
        """The file with the whole of it, up to ARTIFACT_BYTES."""
        self._file.flush()
        return Path(self._file.name)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        if self.total < ARTIFACT_BYTES:
            self._file.write(data[: ARTIFACT_BYTES - self.total])
        self.total += len(data)
        self._emit(self._decoder.decode(data))

    def finish(self) -> None:
        """No more comes."""
        self._emit(self._decoder.decode(b"", final=True))

    def beginning(self, most_bytes: int) -> str:
        """As text, for a reader who takes only so much."""
        found = bytes(self.head[:most_bytes]).decode(errors="replace")
        if self.total <= most_bytes:
            return text.clean(found)
        return text.clean(found) + f"\n({self.total - most_bytes} more bytes)"

    def _emit(self, found: str) -> None:
        for start in range(0, len(found), PIECE_CHARACTERS):
            if self._full:
                return
            piece = text.clean(found[start : start + PIECE_CHARACTERS])
            fits = self._offered + len(piece) <= EVENT_CHARACTERS
            self._full = not (fits and self._offer(self.stream, piece))
            self._offered += len(piece)
