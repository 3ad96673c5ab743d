"""A lease that is held for the length of a block: renewed beside it, and known to be lost by one's own clock."""

import logging
from typing import Protocol

from coxswain.client.asynchronous.transport import Transport
from coxswain.client.asynchronous.waiting import Repeating
from coxswain.client.errors import ClientError, LeaseLostError, NotFoundError
from coxswain.client.models import LeaseView

log = logging.getLogger(__name__)

RENEWALS = 3
"""So often it is renewed while its time passes once."""


class Keeper(Protocol):
    """What keeps leases."""

    async def renew(
        self, workspace: str, name: str, token: int, *, holder: str | None = None
    ) -> LeaseView:
        """Keep one for its whole time."""
        ...

    async def release(
        self, workspace: str, name: str, token: int, *, holder: str | None = None
    ) -> LeaseView:
        """Let one go."""
        ...


class Held:
    """What a block knows of its lease."""

    def __init__(self, keeper: Keeper, transport: Transport, taken: LeaseView, holder: str) -> None:
        self._keeper = keeper
        self._transport = transport
        self._until = 0.0
        self._lost: LeaseLostError | None = None
        self._renewals = Repeating(self._keep, taken.ttl_seconds / RENEWALS)
        self.workspace = taken.workspace
        self.name = taken.name
        self.holder = holder
        self.token = taken.token
        """The fencing token: give it to whatever the lease guards."""

    @property
    def under(self) -> dict[str, int]:
        """For ``events.append(..., under=held.under)``."""
        return {f"{self.workspace}/{self.name}": self.token}

    @property
    def is_kept(self) -> bool:
        """Whether it is this block's for sure, by what is known here."""
        return self._lost is None and self._transport.seconds() < self._until

    def require(self) -> int:
        """The token. Raises LeaseLostError where the lease may be somebody else's by now."""
        self.require_kept()
        if not self.is_kept:
            raise LeaseLostError(f"lease {self.name} could not be renewed in time")
        return self.token

    def require_kept(self) -> None:
        """Raise LeaseLostError if the platform has said that it is lost."""
        if self._lost is not None:
            raise self._lost

    async def begin(self) -> None:
        """Start its time anew, and keep it from now on."""
        await self._renew()
        self._renewals.start()

    async def end(self) -> None:
        """Let it go. Where nobody answers, its time ends it."""
        await self._renewals.stop()
        try:
            if self._lost is None:
                await self._keeper.release(
                    self.workspace, self.name, self.token, holder=self.holder
                )
        except LeaseLostError as error:
            self._lost = error
        except ClientError as error:
            log.warning("lease %s is not let go, and ends by its time: %s", self.name, error)

    async def _keep(self) -> bool:
        """Renew it; False once it is lost."""
        try:
            await self._renew()
        except LeaseLostError as error:
            self._lost = error
            return False
        except NotFoundError as error:
            self._lost = LeaseLostError(error.message, code=error.code)
            return False
        except ClientError as error:
            log.warning("lease %s is not renewed: %s", self.name, error)
        return True

    async def _renew(self) -> None:
        # By the clock before it was sent: the platform's time began at the earliest then.
        asked_at = self._transport.seconds()
        found = await self._keeper.renew(self.workspace, self.name, self.token, holder=self.holder)
        self._until = asked_at + found.ttl_seconds
