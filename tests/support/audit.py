"""What each account asked of the API server, from its audit log."""

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from devtools import rights
from devtools.controlplane import ControlPlane
from devtools.rights import Use
from tests.support import chart

KEPT_IN = "COXSWAIN_RIGHTS_SEEN"
"""A folder where each API server leaves what it was asked, for hack/rights."""
PREFIX = f"system:serviceaccount:{chart.RELEASE_NAMESPACE}:"
NARROW = "narrow"
"""The release in the same control plane whose operator reads its workspaces alone."""
RELEASES = ("coxswain", NARROW)
NAMES = (
    *("operator", "sidecar", "models", "egress", "channels"),
    *("secrets", "certificates", "certificates-hook"),
)
ACCOUNTS = {f"{PREFIX}{release}-{name}": name for release in RELEASES for name in NAMES}
"""The name in the chart of each account, by the user that it is."""
REFUSED = 403
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: Metadata
    users: [{users}]
  - level: None
"""


@dataclass(frozen=True)
class Call:
    """One request that was answered."""

    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    at: datetime
    agent: str


@dataclass(frozen=True)
class Audit:
    """The audit log of a control plane."""

    log: Path

    @classmethod
    def of(cls, plane: ControlPlane) -> "Audit":
        """The log that ``flags`` asks for."""
        return cls(plane.folder / "audit.log")

    def calls(self, user: str, namespace: str | None = None) -> list[Call]:
        """What an account has asked for, oldest first."""
        return [
            call
            for call in self._of(user)
            if namespace is None or namespace in (call.namespace, call.name)
        ]

    def counts(self, user: str, namespace: str | None = None) -> Counter[str]:
        """How often, by verb and resource; watches are left out."""
        return Counter(
            f"{call.verb} {call.resource}"
            for call in self.calls(user, namespace)
            if call.verb != "watch"
        )

    def _of(self, user: str) -> Iterator[Call]:
        if not self.log.exists():
            return
        with self.log.open("rb") as lines:
            for line in lines:
                event = orjson.loads(line)
                if event["user"]["username"] == user and event["stage"] == "ResponseComplete":
                    yield _call(event)


def keep(log: Path) -> None:
    """Leave what the chart's accounts asked for and were not refused where ``KEPT_IN`` says, if it says."""
    folder = os.environ.get(KEPT_IN)
    if folder and log.exists():
        with log.open("rb") as lines:
            found = sorted({use for line in lines if (use := _use(line))})
        (Path(folder) / f"{uuid.uuid4().hex}.json").write_text(json.dumps(found))


def _use(line: bytes) -> Use | None:
    event = orjson.loads(line)
    user, target = event["user"]["username"], event.get("objectRef")
    code = (event.get("responseStatus") or {}).get("code")
    if user not in ACCOUNTS or target is None or code == REFUSED:
        return None
    namespace = target.get("namespace")
    place = rights.HOME if namespace == chart.RELEASE_NAMESPACE else rights.WORKSPACE
    what = rights.resource_of(
        target.get("apiGroup", ""), target["resource"], target.get("subresource", "")
    )
    return Use(ACCOUNTS[user], event["verb"], what, place if namespace else rights.ANY)


def flags(folder: Path, users: Iterable[str]) -> list[str]:
    """Flags of the API server that log what these accounts ask for."""
    folder.mkdir(parents=True, exist_ok=True)
    policy = folder / "audit-policy.yaml"
    policy.write_text(POLICY.format(users=", ".join(f'"{user}"' for user in users)))
    return [
        f"--audit-policy-file={policy}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-mode=blocking",
        # All of a run stays in the one file that is read.
        "--audit-log-maxsize=0",
    ]


def _call(event: dict[str, Any]) -> Call:
    target = event.get("objectRef") or {}
    resource = target.get("resource", event["requestURI"])
    subresource = target.get("subresource")
    return Call(
        verb=event["verb"],
        resource=f"{resource}/{subresource}" if subresource else resource,
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=int((event.get("responseStatus") or {}).get("code", 0)),
        at=datetime.fromisoformat(event["stageTimestamp"]),
        agent=event.get("userAgent", ""),
    )
