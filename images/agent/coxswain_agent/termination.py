"""The last word of a pod, for when the platform is away: the result in short, as JSON of the contract."""

import logging
from pathlib import Path

from coxswain.api.contract import RunResult
from coxswain_agent import text

# The kubelet keeps 4096 bytes.
MOST_BYTES = 4096
ANSWER_BYTES = 1024
MESSAGE_BYTES = 400

log = logging.getLogger(__name__)


def message(result: RunResult) -> str:
    """The result, with answer and message cut so that the whole fits."""
    answer = None if result.answer is None else text.shorten(result.answer, ANSWER_BYTES)
    why = None if result.message is None else text.shorten(result.message, MESSAGE_BYTES)
    short = result.model_copy(update={"answer": answer, "message": why, "artifacts": []})
    # An output is worth more than the words beside it, and worth nothing when it is cut.
    bare = short.model_copy(update={"answer": None, "message": None})
    for each in (short, bare):
        found = each.model_dump_json(by_alias=True, exclude_none=True)
        if len(found.encode()) <= MOST_BYTES:
            return found
    return bare.model_copy(update={"output": None}).model_dump_json(
        by_alias=True, exclude_none=True
    )


def write(path: Path, result: RunResult) -> None:
    """Leave the message; without such a file there is nobody to leave it for."""
    try:
        path.write_text(message(result))
    except OSError as error:
        log.info("no termination message is left: %s", error)
