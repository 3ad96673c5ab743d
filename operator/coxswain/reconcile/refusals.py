"""What the API server said when a quota refused a pod, until the quota has room again.

A refusal may reach us after the event that already says otherwise, so the one who asks remembers
how often there was news of room before, and a refusal that news has overtaken is not kept.
"""

from collections import Counter


class Refusals:
    """The refusals of all workspaces, by the uid of the Job."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, str]] = {}
        self._news: Counter[str] = Counter()

    def news(self, workspace: str) -> int:
        """How often the workspace was known to have room again."""
        return self._news[workspace]

    def keep(self, workspace: str, uid: str, message: str, *, news: int) -> None:
        """A pod was refused; ``news`` is what was known when it was asked for."""
        if news == self._news[workspace]:
            self._said.setdefault(workspace, {})[uid] = message

    def of(self, workspace: str, uid: str) -> str | None:
        """What was said to this Job."""
        return self._said.get(workspace, {}).get(uid)

    def workspaces(self) -> list[str]:
        """Where anybody was refused."""
        return [workspace for workspace, said in self._said.items() if said]

    def forget(self, workspace: str, uid: str) -> None:
        """The Job is gone."""
        self._said.get(workspace, {}).pop(uid, None)

    def has_room(self, workspace: str) -> None:
        """A quota of the workspace has room again: nothing that was said still holds."""
        self._said.pop(workspace, None)
        self._news[workspace] += 1
