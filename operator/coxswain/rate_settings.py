"""How often one caller may ask one process of the API: part of its settings."""

from typing import Annotated

from pydantic import Field

from coxswain.configuration import Settings

PerSecond = Annotated[int, Field(ge=1, le=100_000)]
AtOnce = Annotated[int, Field(ge=1, le=1_000_000)]


class RateSettings(Settings):
    """Requests of one caller, by each process for itself; more are answered 429."""

    requests_per_second: PerSecond = 200
    """Requests that a person or a machine may send, in the long run."""
    requests_at_once: AtOnce = 2000
    """Requests that they may send beyond that, after a time in which they sent fewer."""
    agent_requests_per_second: PerSecond = 100
    """The same for an agent's pod."""
    agent_requests_at_once: AtOnce = 1000
    """The same for an agent's pod."""
