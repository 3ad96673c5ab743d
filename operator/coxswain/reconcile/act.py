"""Carries out actions, each with the precondition that makes it safe to repeat."""

from typing import Any

import structlog

from coxswain import names
from coxswain.errors import ConflictError, CoxswainError, ForbiddenError, NotFoundError
from coxswain.kube import answers, paths
from coxswain.kube.client import Client
from coxswain.reconcile import actions, children, key
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.records import Records
from coxswain.reconcile.refusals import Refusals
from coxswain.reconcile.tick_act import TickActor
from coxswain.rules import leasing
from coxswain.store.runs import Closing, NewRun, RunKey

LOG_BYTES = 65_536

log = structlog.get_logger()


class StaleError(ConflictError):
    """What was decided on is no longer so; look again."""

    code = "stale"


class Actor:
    """The hands of the loop."""

    def __init__(
        self,
        client: Client,
        cache: Cache,
        records: Records,
        refusals: Refusals,
        ticks: TickActor,
    ) -> None:
        self._client = client
        self._cache = cache
        self._records = records
        self._refusals = refusals
        self._ticks = ticks

    async def carry_out(self, action: actions.Action) -> None:
        """Do one action. Raises StaleError if the world has moved on since the decision."""
        match action:
            case (
                actions.RegisterKey()
                | actions.OpenRun()
                | actions.RestoreRun()
                | actions.CloseRun()
                | actions.AskToEnd()
            ):
                await self._change_row(action)
            case (
                actions.DefineLease()
                | actions.ReclaimLease()
                | actions.StandInLine()
                | actions.LeaveLines()
                | actions.FreeLeases()
            ):
                await self._records.change_lease(action)
            case actions.CreatePod():
                await self._create_pod(action)
            case actions.DeletePod():
                await self._delete_pod(action)
            case actions.KeepLog():
                await self._keep_log(action)
            case actions.KeepClaim():
                await self._keep_claim(action)
            case actions.DeleteJob():
                await self._delete_job(action)
            case actions.KeepTicks() | actions.FireTick() | actions.Displace():
                await self._ticks.carry_out(action)

    async def _change_row(self, action: actions.RunChange) -> None:
        match action:
            case actions.RegisterKey():
                await self._register_key(action)
            case actions.OpenRun():
                await self._open_run(action)
            case actions.RestoreRun():
                await self._restore_run(action)
            case actions.CloseRun():
                await self._close_run(action)
            case actions.AskToEnd():
                await self._records.ask_to_end(RunKey(action.job_uid, action.attempt))

    async def _register_key(self, action: actions.RegisterKey) -> None:
        standing = await self._records.register_key(action.holder)
        if standing.job_uid != action.holder.job_uid:
            raise StaleError("the idempotency key stands for another Job")

    async def _open_run(self, action: actions.OpenRun) -> None:
        try:
            state = await self._records.open_run(_row(action, action.last_token))
        except ConflictError as error:
            if error.code in leasing.REFUSALS:
                raise StaleError(error.message) from error
            raise
        if state.pod_uid is not None or state.closed_at is not None:
            raise StaleError("the run row of this attempt is taken or closed")

    async def _restore_run(self, action: actions.RestoreRun) -> None:
        await self._records.restore_run(_row(action, action.token), action.token, action.pod_uid)

    async def _close_run(self, action: actions.CloseRun) -> None:
        run = RunKey(action.job_uid, action.attempt)
        closing = Closing(run, action.reason, action.knows_result, action.is_gone)
        if not await self._records.close_run(closing):
            raise StaleError("the run has posted a result meanwhile")

    async def _create_pod(self, action: actions.CreatePod) -> None:
        owner, namespace = key.owner(action.manifest), action.namespace
        news = self._refusals.news(namespace)
        try:
            made = await children.create(self._client, "pods", namespace, action.manifest)
        except ForbiddenError as error:
            if error.code != answers.QUOTA_EXCEEDED or owner is None:
                raise
            self._refusals.keep(namespace, owner.uid, error.message, news=news)
            raise StaleError("the workspace's quota refused the pod") from error
        self._cache.put("Pod", made)

    async def _keep_claim(self, action: actions.KeepClaim) -> None:
        """With retention Delete the claim has its Agent as owner and goes with it."""
        plural, namespace = "persistentvolumeclaims", action.namespace
        wanted = action.manifest["metadata"]
        try:
            await self._client.create(paths.collection(plural, namespace), action.manifest)
        except ConflictError as error:
            if error.code != answers.ALREADY_EXISTS:
                raise
            await self._own_claim(paths.of(plural, namespace, wanted["name"]), wanted)

    async def _own_claim(self, path: str, wanted: dict[str, Any]) -> None:
        found = (await self._client.get(path))["metadata"]
        agent = wanted["labels"][names.LABEL_AGENT]
        if (found.get("labels") or {}).get(names.LABEL_AGENT) != agent:
            raise children.foreign("persistentvolumeclaims", wanted["name"], wanted["namespace"])
        owners = wanted.get("ownerReferences")
        if found.get("ownerReferences") != owners:
            change = {"resourceVersion": found["resourceVersion"], "ownerReferences": owners}
            await self._client.patch(path, {"metadata": change})

    async def _delete_pod(self, action: actions.DeletePod) -> None:
        path = paths.of("pods", action.namespace, action.name)
        try:
            await self._client.delete(path, uid=action.uid, grace_seconds=action.grace_seconds)
        except (NotFoundError, ConflictError):
            gone = {"metadata": _identity(action.namespace, action.name, action.uid)}
            self._cache.remove("Pod", gone)

    async def _delete_job(self, action: actions.DeleteJob) -> None:
        path = paths.of("jobs", action.namespace, action.name)
        try:
            await self._client.delete(
                path, uid=action.uid, resource_version=action.resource_version
            )
        except NotFoundError:
            return

    async def _keep_log(self, action: actions.KeepLog) -> None:
        path = paths.of("pods", action.namespace, action.pod_name, "log")
        try:
            text = await self._client.text(path, {"limitBytes": str(LOG_BYTES)})
        except CoxswainError as error:
            # The node may be gone, or the container never ran: no log is no reason to hang.
            log.info("no log is kept", pod=action.pod_name, error=error.message)
            return
        if text:
            await self._records.keep_output(action, text)


def _row(action: actions.OpenRun | actions.RestoreRun, last_token: int) -> NewRun:
    run = action.document
    return NewRun(
        key=RunKey(run.job_uid, run.attempt),
        workspace=run.workspace,
        job_name=run.job_name,
        agent_name=run.agent_name,
        pod_name=action.pod_name,
        service_account=action.service_account,
        document=run,
        last_token=last_token,
    )


def _identity(namespace: str, name: str, uid: str) -> dict[str, str]:
    return {"namespace": namespace, "name": name, "uid": uid}
