"""A place to show what kopf does: a kind, operators with kopf's own handlers, and a proxy before them."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coxswain.errors import ConflictError, NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.support import between, exhibits
from tests.support.apiserver import eventually
from tests.support.between import Between
from tests.support.exhibits import GROUP, PLURAL, VERSION, Plan
from tests.support.waiting import until

Body = dict[str, Any]
PEERING = ("kopf.dev", "v1", "kopfpeerings")
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _kind(group: str, plural: str, kind: str, subresources: Body) -> Body:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": ANYTHING},
        "subresources": subresources,
    }
    names = {"plural": plural, "singular": kind.lower(), "kind": kind}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


KINDS = (
    _kind(GROUP, PLURAL, "Exhibit", {"status": {}}),
    _kind(PEERING[0], PEERING[2], "KopfPeering", {}),
)


@dataclass(frozen=True)
class Exhibit:
    """One operator that runs."""

    process: Any
    """A process of multiprocessing."""
    plan: Plan

    def rows(self, what: str, name: str | None = None) -> list[Any]:
        """What it wrote of this sort, of one object or of all; the third word of each line."""
        text = self.plan.ledger.read_text() if self.plan.ledger.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        return [each[2] for each in lines if each[0] == what and name in (None, each[1])]

    async def tells(self, what: str, name: str, times: int = 1) -> list[Any]:
        """Wait until it has written so often; the rows."""
        await until(lambda: len(self.rows(what, name)) >= times)
        return self.rows(what, name)

    def open_gate(self) -> None:
        """Let slow handlers go on."""
        self.plan.gate.touch()

    async def ends(self) -> int:
        """Wait until it has given up; its exit code."""
        await until(lambda: self.process.exitcode is not None)
        return int(self.process.exitcode)


@dataclass(frozen=True)
class Museum:
    """One namespace of it."""

    client: Client
    namespace: str
    folder: Path
    between: Between

    @contextmanager
    def opened(
        self, room: str, identity: str = "one", settings: Body | None = None
    ) -> Iterator[Exhibit]:
        """An operator for the length of a block; it is killed at the end. Those of one name share a ledger."""
        ledger = self.folder / f"{identity}.jsonl"
        url = self.between.url(identity)
        plan = Plan(room, url, self.namespace, ledger, identity, settings or {})
        process = exhibits.PROCESSES.Process(target=exhibits.run, args=(plan,), daemon=True)
        process.start()
        try:
            yield Exhibit(process, plan)
        finally:
            process.kill()
            process.join()
            process.close()

    @property
    def path(self) -> str:
        """Where the exhibits are."""
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/{PLURAL}"

    async def make(self, name: str, annotations: Body | None = None, **spec: Any) -> Body:
        """A new object."""
        head = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Exhibit"}
        metadata = {"name": name, "annotations": annotations or {}}
        return await self.client.create(self.path, {**head, "metadata": metadata, "spec": spec})

    async def get(self, name: str) -> Body:
        """As it stands."""
        return await self.client.get(f"{self.path}/{name}")

    async def change(self, name: str, body: Body) -> Body:
        """A merge patch."""
        return await self.client.patch(f"{self.path}/{name}", body)

    async def delete(self, name: str) -> None:
        """Ask for its end."""
        uid = (await self.get(name))["metadata"]["uid"]
        await self.client.delete(f"{self.path}/{name}", uid=uid)

    async def is_gone(self, name: str) -> bool:
        """Whether there is no such object."""
        try:
            await self.get(name)
        except NotFoundError:
            return True
        return False

    def watches(self, who: str, plural: str = PLURAL) -> bool:
        """Whether this operator hears of exhibits, or of others."""
        return self.between.watches(who, plural)

    def renewals(self, who: str) -> int:
        """How often this operator has said in the peering that it is there."""
        told = (asked for asked, _ in self.between.patches if asked.who == who)
        return sum(f"/{PEERING[2]}/" in asked.path for asked in told)

    @property
    def refused_patches(self) -> int:
        """How many the API server has found wrong."""
        return sum(status == 422 for _, status in self.between.patches)

    async def peers(self) -> Body:
        """Who says in the peering that it is there."""
        group, version, plural = PEERING
        path = f"/apis/{group}/{version}/namespaces/{self.namespace}/{plural}/museum"
        found: Body = (await self.client.get(path)).get("status") or {}
        return found

    async def found_peering(self) -> None:
        """Make the object by which operators find each other."""
        group, version, plural = PEERING
        body = {
            "apiVersion": f"{group}/{version}",
            "kind": "KopfPeering",
            "metadata": {"name": "museum"},
        }
        path = f"/apis/{group}/{version}/namespaces/{self.namespace}/{plural}"
        await self.client.create(path, body)


async def build(kubeconfig: Path) -> None:
    """Put the kinds into a cluster."""
    client = await Client.connect(kubeconfig)
    try:
        for each in KINDS:
            await _served(client, each)
    finally:
        await client.close()


async def _served(client: Client, definition: Body) -> None:
    collection = paths.collection("customresourcedefinitions")
    try:
        await client.create(collection, definition)
    except ConflictError:
        return
    group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]

    async def answers() -> bool:
        # kopf finds kinds by these two pages, and looks once.
        groups = (await client.get("/apis"))["groups"]
        if group not in [each["name"] for each in groups]:
            return False
        try:
            listed = (await client.get(f"/apis/{group}/v1"))["resources"]
        except NotFoundError:
            return False
        return plural in [each["name"] for each in listed]

    await eventually(answers)


@asynccontextmanager
async def museum(
    plane: ControlPlane, client: Client, namespace: str, folder: Path
) -> AsyncIterator[Museum]:
    """A room of it, with a proxy."""
    async with between.between(plane) as proxy:
        yield Museum(client, namespace, folder, proxy)
