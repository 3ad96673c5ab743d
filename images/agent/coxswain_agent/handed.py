"""What a job type hands its handler, and takes back: JSON in two files outside the workspace.

Outside, because a workspace may be a home that still holds what an earlier run has left.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coxswain.api import payload
from coxswain.api.contract import RunDocument
from coxswain.errors import UserError
from coxswain_agent.errors import WorkError

INPUT = "COXSWAIN_INPUT"
OUTPUT = "COXSWAIN_OUTPUT"
OUTPUT_INVALID = "OutputInvalid"
_FENCE = "```"


@dataclass(frozen=True)
class Handed:
    """The two files of a run with a type."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Where a program finds them."""
        return {INPUT: str(self.folder / "input.json"), OUTPUT: str(self.folder / "output.json")}

    def give(self, run: RunDocument) -> None:
        """Lay out the input of a run."""
        (self.folder / "input.json").write_text(run.input or "{}")

    def output(self) -> str | None:
        """What the program wrote; None if nothing. Raises WorkError where that is no JSON."""
        try:
            # A link could lead to what only the reader may see, and a pipe would have it wait.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(self.folder / "output.json", flags)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise WorkError(OUTPUT_INVALID, "output: it is not a plain file")
                found = file.read(payload.OUTPUT_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorkError(OUTPUT_INVALID, f"output: it cannot be read: {error}") from error
        return checked(found.decode(errors="replace"))


@contextmanager
def over(run: RunDocument, spool: Path) -> Iterator[Handed | None]:
    """The files for the length of the work; None for a run without a type."""
    if run.type is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="handed-", dir=spool))
    try:
        found = Handed(folder)
        found.give(run)
        yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def of_answer(run: RunDocument, answer: str) -> str | None:
    """The output that an answer stands for: itself where the type wants a text, else its JSON."""
    if run.output_schema is None:
        return None
    if run.output_schema.get("type") == "string":
        return checked(payload.canonical(answer))
    return checked(_without_fence(answer))


def checked(found: str) -> str:
    """The text, if it is JSON within the bounds. Raises WorkError OutputInvalid."""
    try:
        payload.read(found, most_bytes=payload.OUTPUT_BYTES, field="output")
    except UserError as error:
        raise WorkError(OUTPUT_INVALID, error.message) from error
    return found


def _without_fence(answer: str) -> str:
    lines = answer.strip().splitlines()
    if len(lines) > 1 and lines[0].startswith(_FENCE) and lines[-1].strip() == _FENCE:
        return "\n".join(lines[1:-1])
    return answer.strip()
