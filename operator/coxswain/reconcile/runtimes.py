"""Which RuntimeClasses the cluster has: looked up when an Agent names one, kept for a while."""

import time
from collections.abc import Callable, Iterable

from coxswain.errors import ForbiddenError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.reconcile.once import Kept

PRESENT_SECONDS = 60.0
ABSENT_SECONDS = 5.0


class RuntimeClasses:
    """Present or not, by name."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._kept = Kept(self._look, _seconds, clock)

    async def present(self, names: Iterable[str | None]) -> frozenset[str]:
        """Those of these names that the cluster has."""
        return frozenset([name for name in names if name and await self._kept.get(name)])

    async def _look(self, name: str) -> bool:
        try:
            await self._client.get(paths.of("runtimeclasses", None, name))
        except (NotFoundError, ForbiddenError):
            return False
        return True


def _seconds(is_present: bool) -> float:
    return PRESENT_SECONDS if is_present else ABSENT_SECONDS
