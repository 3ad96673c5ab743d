"""A monotonic clock that only a test moves."""


class Ticking:
    """Seconds; add to ``now``."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
