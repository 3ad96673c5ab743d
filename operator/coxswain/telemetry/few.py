"""Names that people give become labels of metrics, but only so many of them."""

MOST_WORKSPACES = 100
MOST_QUEUES = 20
OTHER = "other"


class Few:
    """The first names that come have a label of their own, so that labels stay few."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str) -> str:
        """The name, or what all names beyond the most share."""
        if name not in self._known and len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name
