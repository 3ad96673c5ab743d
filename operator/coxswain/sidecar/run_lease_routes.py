"""Leases for agent pods: what the run holds, and what it takes besides under its own identity."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import CoxswainError
from coxswain.identity.callers import AgentCaller
from coxswain.sidecar import lease_waits, lease_wire, writing
from coxswain.sidecar.lease_wire import (
    LeaseList,
    LeaseView,
    RunAcquireRequest,
    RunHoldRequest,
    RunLeasePath,
)
from coxswain.store import claims
from coxswain.store.leases import holding, of_runs
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.listener import Listener
from coxswain.store.pool import Connection, Store
from coxswain.web.auditing import Kept
from coxswain.web.routes import Call, route

P = ParamSpec("P")
T = TypeVar("T")


class RunLeaseRoutes:
    """Routes for agent pods."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener

    @route("GET", "/v1/run/leases")
    async def list_run_leases(self, call: Call, caller: AgentCaller) -> LeaseList:
        """List the leases that the run holds at this moment, with their tokens."""
        found = await self._store.run(of_runs.held, caller.run.key)
        return LeaseList(items=[lease_wire.view(each) for each in found])

    @route("POST", "/v1/run/leases/{name}/acquire", errors=(404, 409), kept=Kept.ELSEWHERE)
    async def acquire_run_lease(
        self, call: Call, caller: AgentCaller, path: RunLeasePath, body: RunAcquireRequest
    ) -> LeaseView:
        """Take a lease for the run, and renew it by oneself; it is let go when the run has ended.

        The same again answers the same. 409 as for people.
        """
        wanted = Wanted(
            caller.run.workspace,
            path.name,
            _holder(caller),
            str(caller),
            body.steal,
            body.wait_seconds,
        )

        async def ask(now: Wanted) -> Lease | Refused:
            return await self._as_run(caller, holding.acquire, now)

        taken = await lease_waits.acquire(self._store, self._listener, call.request, wanted, ask)
        return lease_wire.view(taken)

    @route("POST", "/v1/run/leases/{name}/renew", errors=(404, 409), kept=Kept.ELSEWHERE)
    async def renew_run_lease(
        self, call: Call, caller: AgentCaller, path: RunLeasePath, body: RunHoldRequest
    ) -> LeaseView:
        """Keep a lease for its whole time from now on. 409 as for people."""
        wanted = _claim(caller, path, body)
        (answer,) = await self._as_run(caller, holding.renew, [wanted])
        if isinstance(answer, CoxswainError):
            raise answer
        return lease_wire.view(answer)

    @route("POST", "/v1/run/leases/{name}/release", errors=(404, 409), kept=Kept.ELSEWHERE)
    async def release_run_lease(
        self, call: Call, caller: AgentCaller, path: RunLeasePath, body: RunHoldRequest
    ) -> LeaseView:
        """Let go of a lease. 409 lease_of_run for one of spec.leases; else as for people."""
        wanted = _claim(caller, path, body)
        return lease_wire.view(await self._as_run(caller, holding.release, wanted, str(caller)))

    async def _as_run(
        self,
        caller: AgentCaller,
        operation: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """While the run is open: one that ends meanwhile would leave the lease behind."""

        async def held(connection: Connection) -> T:
            await claims.held(connection, caller.pod.uid)
            return await operation(connection, *args, **kwargs)

        with writing.at_the_door():
            return await self._store.transact(held)


def _holder(caller: AgentCaller) -> LeaseHolder:
    return LeaseHolder.of_run(caller.run.key, caller.run.job_name)


def _claim(caller: AgentCaller, path: RunLeasePath, body: RunHoldRequest) -> Holding:
    return Holding((caller.run.workspace, path.name), _holder(caller), body.token)
