# Made by hack/generate from operator/coxswain/client/asynchronous; do not edit.
"""The client: one way to the API, with a room for each sort of thing."""

from types import TracebackType
from typing import Self

import httpx

from coxswain.api.retry_policy import RetryPolicy
from coxswain.client.options import TIMEOUT_SECONDS, Options, Token, Verify
from coxswain.client.retries import Pacing
from coxswain.client.synchronous.agents import Agents
from coxswain.client.synchronous.approvals import Approvals
from coxswain.client.synchronous.audit import Audit
from coxswain.client.synchronous.deliveries import Deliveries
from coxswain.client.synchronous.events import Events
from coxswain.client.synchronous.installation import Installation
from coxswain.client.synchronous.job_types import JobTypes
from coxswain.client.synchronous.jobs import Jobs
from coxswain.client.synchronous.keys import Keys
from coxswain.client.synchronous.leases import Leases
from coxswain.client.synchronous.schedules import Schedules
from coxswain.client.synchronous.transport import Transport
from coxswain.client.synchronous.waiting import Sleep, sleep


class Client:
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
        transport: httpx.BaseTransport | None = None,
        pacing: Pacing | None = None,
        sleep: Sleep = sleep,
    ) -> None:
        given = Options(
            url, token, policy or RetryPolicy(), timeout_seconds, verify, pacing or Pacing()
        )
        self._http = httpx.Client(transport=transport, **given.http)
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
