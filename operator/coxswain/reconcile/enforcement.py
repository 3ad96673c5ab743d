"""Finds out, once per workspace and version, whether the cluster enforces the network policy.

A probe pod tries what it must not reach. The finding is kept in Postgres and shown as the
condition SandboxEnforced of each Agent; it stops nobody, for only the cluster's owner can mend it.
"""

import asyncio
from collections.abc import Callable

import structlog

from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import ConflictError, CoxswainError, FencedError, NotFoundError, TransientError
from coxswain.kube import answers, paths
from coxswain.kube.client import Client
from coxswain.reconcile import phases
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.records import Records
from coxswain.sandbox import probe
from coxswain.sandbox.pod import Platform
from coxswain.sandbox.probe import Wall
from coxswain.store.enforcement import Finding

log = structlog.get_logger()

LOOK_SECONDS = 0.5
PROBE_SECONDS = 120.0
RETRY_SECONDS = 60.0


class Enforcement:
    """Probes one workspace at a time."""

    def __init__(
        self, client: Client, records: Records, version: str, walls: tuple[Wall, ...]
    ) -> None:
        self._client = client
        self._records = records
        self._version = version
        self._walls = walls
        self._known: dict[str, Finding] = {}
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: set[str] = set()

    def condition(self, workspace: str) -> Seen:
        """The condition SandboxEnforced; the first question about a workspace starts its probe."""
        kind = ConditionType.SANDBOX_ENFORCED
        finding = self._known.get(workspace)
        if finding is None:
            if workspace not in self._waiting:
                self._waiting.add(workspace)
                self._asked.put_nowait(workspace)
            return Seen(kind, "Unknown", "NotProbed", "it is not known yet")
        if finding.enforced:
            return Seen(kind, "True", "Enforced", "a probe reached the door and nothing else")
        return Seen(kind, "False", "NotEnforced", finding.message)

    async def run(self, platform: Callable[[], Platform], on_known: Callable[[str], None]) -> None:
        """Probe what is asked for, until cancelled."""
        while True:
            workspace = await self._asked.get()
            try:
                self._known[workspace] = await self._find(workspace, platform())
            except FencedError:
                raise
            except CoxswainError as error:
                log.warning("network not probed", workspace=workspace, error=error.message)
                await asyncio.sleep(RETRY_SECONDS)
                self._asked.put_nowait(workspace)
                continue
            on_known(workspace)

    async def _find(self, workspace: str, platform: Platform) -> Finding:
        known = await self._records.enforcement(workspace, self._version)
        if known is not None:
            return known
        finding = await self._probe(workspace, platform)
        await self._records.keep_enforcement(finding)
        log.info("network probed", workspace=workspace, enforced=finding.enforced)
        return finding

    async def _probe(self, workspace: str, platform: Platform) -> Finding:
        manifest = probe.build(workspace, self._version, self._walls, platform)
        try:
            await self._client.create(paths.collection("pods", workspace), manifest)
        except ConflictError as error:
            if error.code != answers.ALREADY_EXISTS:
                raise
        path = paths.of("pods", workspace, manifest["metadata"]["name"])
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                ended = await self._ended(path)
        except TimeoutError as error:
            raise TransientError("the probe pod did not end in time") from error
        finding = self._read(workspace, ended)
        try:
            await self._client.delete(path, uid=ended["metadata"]["uid"])
        except (NotFoundError, ConflictError):
            log.debug("probe pod is gone already", workspace=workspace)
        return finding

    async def _ended(self, path: str) -> Raw:
        while True:
            raw = await self._client.get(path)
            if phases.has_ended(raw):
                return raw
            await asyncio.sleep(LOOK_SECONDS)

    def _read(self, workspace: str, raw: Raw) -> Finding:
        statuses = raw["status"].get("containerStatuses") or [{}]
        ended = (statuses[0].get("state") or {}).get("terminated") or {}
        code, said = ended.get("exitCode"), str(ended.get("message") or "")
        if code == probe.ENFORCED:
            return Finding(workspace, self._version, enforced=True)
        if code == probe.LEAKS:
            text = (
                f"an agent pod can reach {said}: the cluster's network does not enforce"
                " NetworkPolicy; install a network that does"
            )
            return Finding(workspace, self._version, enforced=False, message=text)
        raise TransientError(f"the probe ended with {code}: {said}")
