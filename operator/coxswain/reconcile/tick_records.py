"""The records of Schedules behind the loop. Passes that come together write together."""

from collections.abc import Sequence

from coxswain.api.ticks import Standing, TickChange
from coxswain.errors import CoxswainError
from coxswain.reconcile.batches import Batches, each_alone, or_raise
from coxswain.reconcile.fence import Fence
from coxswain.store import events, left_ticks, mirror, ticks
from coxswain.store.events import Filter, Page, Resync
from coxswain.store.mirror import ObjectRow
from coxswain.store.ticks import Fired, Refused

BATCH = 200


class TickRecords:
    """Postgres as the passes of Schedules use it."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._store = fence.store
        self._standing: Batches[str, Standing | CoxswainError]
        self._keeping: Batches[TickChange, CoxswainError | None]
        self._settling: Batches[Fired, CoxswainError | None]
        self._standing = Batches(each_alone(self._ask, fence.note), BATCH)
        self._keeping = Batches(each_alone(self._keep, fence.note), BATCH)
        self._settling = Batches(each_alone(self._settle, fence.note), BATCH)

    async def standing(self, uid: str) -> Standing:
        """What is known of a Schedule. Raises UnavailableError while Postgres is away."""
        return or_raise(await self._standing.ask(uid))

    async def keep(self, change: TickChange) -> None:
        """Write what a pass has decided."""
        or_raise(await self._keeping.ask(change))

    async def settle(self, fired: Fired) -> None:
        """The Job of a tick is there."""
        or_raise(await self._settling.ask(fired))

    async def refuse(self, refused: Refused) -> None:
        """The Job of a tick was refused."""
        await self._fence.write(ticks.refuse, [refused])

    async def close_left(self) -> None:
        """Settle what Schedules that are gone have left open."""
        while await self._fence.write(left_ticks.settle):
            pass
        await self._fence.write(left_ticks.close)

    async def job(self, workspace: str, name: str) -> ObjectRow | None:
        """A Job as the mirror saw it last, also after it is gone."""
        return await self._store.run(mirror.last, "Job", workspace, name)

    async def job_by_uid(self, uid: str) -> ObjectRow | None:
        """The same by its uid."""
        return await self._store.run(mirror.by_uid, uid)

    async def head(self) -> int:
        """The position of the newest event."""
        return await self._store.run(events.head)

    async def events(self, position: int, workspace: str, type_: str) -> Page:
        """Events of a workspace after a position; what was dropped meanwhile is passed over."""
        found = await self._store.run(events.locate, position)
        if isinstance(found, Resync):
            position = max(position, found.oldest - 1)
        return await self._store.run(events.after, position, Filter(type_, workspace))

    async def _ask(self, uids: Sequence[str]) -> Sequence[Standing]:
        return await self._store.run(ticks.standing, uids)

    async def _keep(self, changes: Sequence[TickChange]) -> Sequence[None]:
        await self._fence.write(ticks.keep, changes)
        return [None] * len(changes)

    async def _settle(self, fired: Sequence[Fired]) -> Sequence[None]:
        await self._fence.write(ticks.settle, fired)
        return [None] * len(fired)
