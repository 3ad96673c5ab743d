"""Which run a pod owns, remembered for a moment: a stream of calls needs one look at Postgres.

Only open runs are remembered, so a run that is over is noticed after at most that moment; whatever
writes looks again inside its own transaction.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from coxswain.errors import UnauthenticatedError
from coxswain.store import claims
from coxswain.store.pool import Store
from coxswain.store.runs import Run

REMEMBER_SECONDS = 2.0
REMEMBER_RUNS = 10_000
CLOSED = "run_closed"
UNCLAIMED = "run_unclaimed"


class RunsOfPods:
    """Looks up runs by pod uid."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Run]] = OrderedDict()

    async def run(self, pod_uid: str) -> Run:
        """The open run of a pod. Raises UnauthenticatedError run_unclaimed or run_closed."""
        known = self._known.get(pod_uid)
        if known is not None and self._clock() < known[0]:
            return known[1]
        self._known.pop(pod_uid, None)
        found = await self._store.run(claims.by_pod, pod_uid)
        if found is None:
            raise UnauthenticatedError("this pod has claimed no run", code=UNCLAIMED)
        if found.closed_at is not None:
            raise UnauthenticatedError("this pod's run is over", code=CLOSED)
        self._known[pod_uid] = (self._clock() + REMEMBER_SECONDS, found)
        if len(self._known) > REMEMBER_RUNS:
            self._known.popitem(last=False)
        return found
