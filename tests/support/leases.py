"""Leases of a test's database: made as the operator makes them, held by people and runs."""

from dataclasses import dataclass
from typing import Any

from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import CoxswainError
from coxswain.store import events
from coxswain.store.events import Filter
from coxswain.store.leases import holding, keeping, rows
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.pool import Connection, Store
from tests.support.rows import new_lease

ANN = LeaseHolder.of_user("ann", None)
BOB = LeaseHolder.of_user("bob", None)


@dataclass(frozen=True)
class Leases:
    """The leases of workspace "team", through the operator's and the sidecar's store."""

    operator: Store
    sidecar: Store

    async def has(self, name: str = "deploy", **fields: Any) -> Lease:
        """Define a Lease."""
        return await self.operator.transact(keeping.define, new_lease(name, **fields))

    async def takes(
        self, holder: LeaseHolder, name: str = "deploy", *, steal: bool = False, wait: float = 0
    ) -> Lease:
        """Take a lease. Raises what refuses it."""
        answer = await self.asks(holder, name, steal=steal, wait=wait)
        if isinstance(answer, Refused):
            raise answer.why
        return answer

    async def asks(
        self, holder: LeaseHolder, name: str = "deploy", *, steal: bool = False, wait: float = 0
    ) -> Lease | Refused:
        """Ask for a lease, and perhaps wait in its line."""
        wanted = Wanted("team", name, holder, holder.text, steal, wait)
        return await self.sidecar.transact(holding.acquire, wanted)

    async def renews(self, holder: LeaseHolder, token: int, name: str = "deploy") -> Lease:
        """Renew a lease. Raises what refuses it."""
        place = ("team", name)
        wanted = Holding(place, holder, token)
        (answer,) = await self.sidecar.transact(holding.renew, [wanted])
        if isinstance(answer, CoxswainError):
            raise answer
        return answer

    async def lets_go(self, holder: LeaseHolder, token: int, name: str = "deploy") -> Lease:
        """Release a lease. Raises what refuses it."""
        wanted = Holding(("team", name), holder, token)
        return await self.sidecar.transact(holding.release, wanted, holder.text)

    async def row(self, name: str = "deploy") -> Lease:
        """The lease as it is."""
        return (await self.operator.run(rows.of, [("team", name)]))["team", name]

    async def lapse(self) -> int:
        """Note whose time is over, as the leader does every second."""
        return await self.operator.transact(keeping.lapse)

    async def passes(self, seconds: float, name: str = "deploy") -> None:
        """Let so much time pass for a lease: its times move back."""

        async def earlier(connection: Connection) -> None:
            await connection.execute(
                "UPDATE leases SET acquired_at = acquired_at - make_interval(secs => $2),"
                " expires_at = expires_at - make_interval(secs => $2),"
                " changed_at = changed_at - make_interval(secs => $2) WHERE name = $1",
                name,
                seconds,
            )

        await self.operator.transact(earlier)

    async def told(self, name: str = "deploy") -> list[tuple[str, Any]]:
        """The events of a lease in their order: what, and of which token."""
        lease = await self.row(name)
        page = await self.operator.run(events.after, 0, Filter(uid=lease.uid))
        return [(each.event.type, each.event.details["token"]) for each in page.events]

    async def last(self, name: str = "deploy") -> dict[str, Any]:
        """The details of the newest event of a lease."""
        lease = await self.row(name)
        page = await self.operator.run(events.after, 0, Filter(uid=lease.uid))
        return page.events[-1].event.details
