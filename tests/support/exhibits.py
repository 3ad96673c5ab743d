"""Operators as kopf's tutorials write them, with the handlers that we use none of: what the museum shows.

Each runs in a process of its own, forked by a server that has imported kopf once, and writes what it does
into a file that nobody else writes.
"""

import asyncio
import json
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import kopf

GROUP, VERSION, PLURAL = "museum.test", "v1", "exhibits"
KIND = (GROUP, VERSION, PLURAL)
HANDLED = "kopf.zalando.org/last-handled-configuration"
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])
Registry = kopf.OperatorRegistry


@dataclass(frozen=True)
class Plan:
    """What to run. ``settings`` are kopf's, by names such as ``peering.lifetime``."""

    room: str
    url: str
    namespace: str
    ledger: Path
    identity: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def gate(self) -> Path:
        """A slow handler waits until this file is there."""
        return self.ledger.with_suffix(".gate")

    def write(self, what: str, name: str, more: object = None) -> None:
        """Add a line to the ledger."""
        with self.ledger.open("a") as file:
            file.write(json.dumps([what, name, more]) + "\n")


def run(plan: Plan) -> None:
    """Be the operator, until killed or until kopf gives up, which raises."""
    registry = Registry()

    def log_in(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=plan.url)

    kopf.on.login(registry=registry)(log_in)
    ROOMS[plan.room](registry, plan)
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    for name, value in plan.settings.items():
        place, _, last = name.partition(".")
        setattr(getattr(settings, place), last, value)
    identity: Any = plan.identity
    kopf.run(
        registry=registry,
        settings=settings,
        identity=identity,
        standalone=None if "peering.name" in plan.settings else True,
        namespaces=[plan.namespace],
    )


def _events(registry: Registry, plan: Plan) -> None:
    def seen(name: str, **_: Any) -> None:
        plan.write("seen", name)

    kopf.on.event(*KIND, registry=registry)(seen)


def _index(registry: Registry, plan: Plan) -> None:
    def exhibits(name: str, uid: str, **_: Any) -> dict[str, str]:
        return {name: uid}

    def seen(name: str, **given: Any) -> None:
        plan.write("seen", name, sorted(given["exhibits"]))

    kopf.index(*KIND, registry=registry, id="exhibits")(exhibits)
    kopf.on.event(*KIND, registry=registry)(seen)


def _created(registry: Registry, plan: Plan) -> None:
    def created(name: str, uid: str, **_: Any) -> None:
        plan.write("created", name, uid)

    kopf.on.create(*KIND, registry=registry)(created)


def _children(registry: Registry, plan: Plan) -> None:
    path = f"{plan.url}/api/v1/namespaces/{plan.namespace}/configmaps"

    async def made(name: str, uid: str, **_: Any) -> None:
        async with aiohttp.ClientSession() as session:
            for metadata in ({"generateName": f"generated-{name}-"}, {"name": f"derived-{uid}"}):
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
                async with session.post(path, json=body) as answer:
                    assert answer.status in (201, 409)
        plan.write("made", name)

    kopf.on.create(*KIND, registry=registry)(made)


def _labelled(registry: Registry, plan: Plan) -> None:
    path = f"{plan.url}/apis/{GROUP}/{VERSION}/namespaces/{plan.namespace}/{PLURAL}"
    merge = {"Content-Type": "application/merge-patch+json"}
    body = json.dumps({"metadata": {"labels": {"by": "somebody-else"}}})

    async def created(name: str, **_: Any) -> None:
        plan.write("created", name)
        async with (
            aiohttp.ClientSession(headers=merge) as session,
            session.patch(f"{path}/{name}", data=body) as answer,
        ):
            assert answer.status == 200

    kopf.on.create(*KIND, registry=registry)(created)


def _slow(registry: Registry, plan: Plan) -> None:
    async def created(name: str, uid: str, **_: Any) -> dict[str, str]:
        plan.write("begun", name, uid)
        while not plan.gate.exists():  # noqa: ASYNC110 - the test opens it
            await asyncio.sleep(0.02)
        plan.write("created", name, uid)
        return {"of": uid}

    kopf.on.create(*KIND, registry=registry)(created)


def _whole(registry: Registry, plan: Plan) -> None:
    def created(name: str, **_: Any) -> dict[str, str]:
        plan.write("created", name)
        return {"of": name}

    def updated(name: str, **_: Any) -> None:
        plan.write("updated", name)

    def deleted(name: str, **_: Any) -> None:
        plan.write("deleted", name)

    kopf.on.create(*KIND, registry=registry)(created)
    kopf.on.update(*KIND, registry=registry)(updated)
    kopf.on.delete(*KIND, registry=registry)(deleted)


def _timed(registry: Registry, plan: Plan) -> None:
    def fired(name: str, **_: Any) -> None:
        plan.write("fired", name)

    kopf.timer(*KIND, registry=registry, interval=60, sharp=True)(fired)


ROOMS: dict[str, Callable[[Registry, Plan], None]] = {
    "events": _events,
    "index": _index,
    "created": _created,
    "children": _children,
    "labelled": _labelled,
    "slow": _slow,
    "whole": _whole,
    "timed": _timed,
}
