"""What a proxy may do to the process behind it."""

from typing import Protocol


class Hands(Protocol):
    """One replica."""

    name: str

    def kill(self) -> None:
        """End it as a machine would that loses power."""

    def freeze(self, seconds: float) -> None:
        """Stop its time, and let it go on after so long."""

    def cut_off(self, seconds: float) -> None:
        """Let no connection to Postgres through for so long."""
