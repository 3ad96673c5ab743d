"""A heartbeat's answer: nothing to say, or something to deliver. Pure."""

from typing import Literal

OK = "HEARTBEAT_OK"
Reply = Literal["Swallowed", "Kept"]


def reply(answer: str | None) -> Reply:
    """Swallowed where the answer is HEARTBEAT_OK and nothing else; anything else is kept."""
    return "Swallowed" if (answer or "").strip() == OK else "Kept"
