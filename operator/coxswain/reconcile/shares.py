"""What each share runs and was served, and whose turn it is; the rule is ``rules.fairness``.

It is memory only. After a restart a share counts as served what it runs.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from coxswain.reconcile.backlog import Backlog
from coxswain.rules import fairness
from coxswain.rules.caps import Caps
from coxswain.rules.fairness import Contender, Slot, Waiting

Share = tuple[str, ...]
"""A workspace, or a workspace and an owner in it."""
KEPT = 1000
Room = Callable[[str, str], bool]
"""Whether a queue and an Agent have room."""


class Shares:
    """Shares of workspaces among each other, and of owners in each."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._running: dict[Share, int] = {}
        self._served: dict[Share, int] = {}
        self._clocks: dict[Share, int] = {}
        """How far the service of a group has come: that of its last one when it had its turn."""
        self._keep = KEPT

    def runs(self, slot: Slot) -> None:
        """A Job holds a slot."""
        for share in _shares(slot):
            self._running[share] = self._running.get(share, 0) + 1

    def ends(self, slot: Slot) -> None:
        """It does no more."""
        for share in _shares(slot):
            self._running[share] -= 1
            if not self._running[share]:
                del self._running[share]

    def serve(self, slot: Slot) -> None:
        """A Job was given a slot in its turn."""
        for share in _shares(slot):
            group, before = share[:-1], self._service(share)
            self._clocks[group] = max(self._clocks.get(group, 0), before)
            self._served[share] = before + self._cost(share)
        if len(self._served) > self._keep:
            self._forget()

    def first(self, firsts: Iterable[Waiting]) -> Waiting | None:
        """The Job whose turn it is, of the first of each workspace."""
        return self._choose(firsts, _workspace)

    def first_of(
        self, backlog: Backlog, has_room: Room, called: Iterable[Slot] = ()
    ) -> Waiting | None:
        """The first of one workspace; ``called`` count as if they ran."""
        return self._choose(backlog.firsts(has_room), _owner, Counter(map(_owner, called)))

    def _choose(
        self,
        firsts: Iterable[Waiting],
        share_of: Callable[[Slot], Share],
        more: Counter[Share] | None = None,
    ) -> Waiting | None:
        contenders = []
        for each in firsts:
            share = share_of(each.slot)
            running = self._running.get(share, 0) + (more[share] if more else 0)
            contenders.append(
                Contender(each, self._cost(share), running, self._service(share), each.place)
            )
        return fairness.choose(contenders).who if contenders else None

    def _service(self, share: Share) -> int:
        """What it was served; who was away has at most one slot's advance."""
        price = self._cost(share)
        known = self._served.get(share)
        served = self._running.get(share, 0) * price if known is None else known
        return max(served, self._clocks.get(share[:-1], 0) - price)

    def _cost(self, share: Share) -> int:
        return fairness.cost(self._caps.weight(share[0]) if len(share) == 1 else 1)

    def _forget(self) -> None:
        """Of very many, drop those that run nothing: to come back as a stranger gains one slot."""
        self._served = {
            share: served for share, served in self._served.items() if share in self._running
        }
        self._keep = max(KEPT, 2 * len(self._served))


def _shares(slot: Slot) -> tuple[Share, Share]:
    return _workspace(slot), _owner(slot)


def _workspace(slot: Slot) -> Share:
    return (slot.workspace,)


def _owner(slot: Slot) -> Share:
    return slot.workspace, slot.owner
