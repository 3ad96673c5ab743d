"""The client: one way to the API, with a room for each sort of thing."""

from types import TracebackType
from typing import Self

import httpx

from coxswain.api.retry_policy import RetryPolicy
from coxswain.client.asynchronous.agents import Agents
from coxswain.client.asynchronous.approvals import Approvals
from coxswain.client.asynchronous.audit import Audit
from coxswain.client.asynchronous.deliveries import Deliveries
from coxswain.client.asynchronous.events import Events
from coxswain.client.asynchronous.installation import Installation
from coxswain.client.asynchronous.job_types import JobTypes
from coxswain.client.asynchronous.jobs import Jobs
from coxswain.client.asynchronous.keys import Keys
from coxswain.client.asynchronous.leases import Leases
from coxswain.client.asynchronous.schedules import Schedules
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.asynchronous.waiting import Sleep, sleep
from coxswain.client.options import TIMEOUT_SECONDS, Options, Token, Verify
from coxswain.client.retries import Pacing


class AsyncClient:
    """Use it in a ``with`` block, or close it.

    ``url`` is the address of the API; ``token`` that of a person or machine, or what gives it anew for
    each request. ``verify`` is False or an SSLContext where the certificate is not one that everybody
    knows. ``transport``, ``pacing`` and ``sleep`` take the place of network, clock and waiting.
    """

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        policy: RetryPolicy | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        verify: Verify = True,
        transport: httpx.AsyncBaseTransport | None = None,
        pacing: Pacing | None = None,
        sleep: Sleep = sleep,
    ) -> None:
        given = Options(
            url, token, policy or RetryPolicy(), timeout_seconds, verify, pacing or Pacing()
        )
        self._http = httpx.AsyncClient(transport=transport, **given.http)
        way = Transport(self._http, given, sleep)
        self.agents = Agents(way)
        self.approvals = Approvals(way)
        self.audit = Audit(way)
        self.deliveries = Deliveries(way)
        self.events = Events(way)
        self.installation = Installation(way)
        self.job_types = JobTypes(way)
        self.jobs = Jobs(way)
        self.keys = Keys(way)
        self.leases = Leases(way)
        self.schedules = Schedules(way)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
