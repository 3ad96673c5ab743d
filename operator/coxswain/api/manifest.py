"""The CustomResourceDefinitions, made from the types: what `hack/generate` writes into crds/."""

from dataclasses import dataclass
from typing import Any

import yaml
from typing_extensions import override

from coxswain.api.agent import AgentSpec, AgentStatus
from coxswain.api.job import JobSpec, JobStatus
from coxswain.api.lease import LeaseSpec, LeaseStatus
from coxswain.api.meta import NAME_LIMIT, NAME_MESSAGE, Model, Rule
from coxswain.api.schedule import ScheduleSpec, ScheduleStatus
from coxswain.api.schema import structural
from coxswain.names import ANNOTATION_CRD_VERSION, CATEGORY, GROUP, VERSION

CRD_VERSION = 5
"""Grows with every change of a schema; the operator refuses to run on older CRDs than it knows."""

_NAME = Rule(f"self.metadata.name.size() <= {NAME_LIMIT}", NAME_MESSAGE)


@dataclass(frozen=True)
class Column:
    """One column of ``kubectl get``; a wide one is shown with ``-o wide``."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False

    def to_wire(self) -> dict[str, Any]:
        """As in additionalPrinterColumns."""
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
            "priority": int(self.wide),
        }


@dataclass(frozen=True)
class Kind:
    """What a kind is beyond the shape of its spec and status."""

    name: str
    plural: str
    short_name: str
    description: str
    spec: type[Model]
    status: type[Model]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    """Rules over name and spec together."""


def _condition(field: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{field}'


_AGE = Column("Age", ".metadata.creationTimestamp", "Time since it was made.", "date")
_MESSAGE = Column("Message", _condition("message"), "What is wrong and what to do.", wide=True)

AGENT = Kind(
    name="Agent",
    plural="agents",
    short_name="cxa",
    description="Who works: an agent with its models, tools, limits and sandbox. It has no pod of"
    " its own; each attempt of a Job is one.",
    spec=AgentSpec,
    status=AgentStatus,
    columns=(
        Column("Ready", _condition("status"), "Whether it can take Jobs."),
        Column("Phase", ".status.phase", "A summary of the conditions."),
        Column("Model", ".spec.models[0].model", "Its first model."),
        Column("Suspended", ".spec.suspend", "Whether new attempts wait.", "boolean"),
        _AGE,
        Column("Reason", _condition("reason"), "Why it is not ready.", wide=True),
        Column("Description", ".spec.description", "What it is for.", wide=True),
        _MESSAGE,
    ),
)

JOB = Kind(
    name="Job",
    plural="jobs",
    short_name="cxj",
    description="One piece of work for an Agent, in numbered attempts of one pod each. Not the Job"
    " of the group batch.",
    spec=JobSpec,
    status=JobStatus,
    columns=(
        Column("Phase", ".status.phase", "Where it is."),
        Column("Agent", ".spec.agentRef.name", "Who does it."),
        Column("Attempt", ".status.attempt", "Number of the current or last attempt.", "integer"),
        Column("Reason", _condition("reason"), "Why it waits, or how it ended."),
        _AGE,
        Column("Queue", ".spec.queue", "Where it waits.", wide=True),
        Column("Priority", ".spec.priority", "Higher goes first.", "integer", wide=True),
        Column("Title", ".spec.title", "What it is.", wide=True),
        _MESSAGE,
    ),
    selectable=(".spec.agentRef.name", ".spec.queue", ".status.phase"),
    rules=(
        Rule(
            "!has(self.spec.dependsOn) || !self.spec.dependsOn.exists(each,"
            " each.name == self.metadata.name)",
            "dependsOn names other Jobs, not this one",
        ),
    ),
)

SCHEDULE = Kind(
    name="Schedule",
    plural="schedules",
    short_name="cxs",
    description="When Jobs are made, and of which template: by cron lines, at an interval, once, on"
    " events of the workspace, on webhooks, when a page changes, or as a heartbeat.",
    spec=ScheduleSpec,
    status=ScheduleStatus,
    columns=(
        Column("Ready", _condition("status"), "Whether its ticks make Jobs."),
        Column("Phase", ".status.phase", "A summary of the conditions."),
        Column("Next", ".status.nextFireTimes[0]", "When the next tick comes due."),
        Column("Last", ".status.lastTick", "Time since the last tick.", "date"),
        Column("Running", ".status.running", "Its Jobs that have not ended.", "integer"),
        _AGE,
        Column("Cron", ".spec.cron[0]", "Its first cron line.", wide=True),
        Column("Zone", ".spec.timeZone", "The zone of its cron lines.", wide=True),
        Column("Agent", ".spec.jobTemplate.spec.agentRef.name", "Who does the work.", wide=True),
        Column("Reason", _condition("reason"), "Why it is not ready.", wide=True),
        _MESSAGE,
    ),
)

LEASE = Kind(
    name="Lease",
    plural="leases",
    short_name="cxl",
    description="The exclusive right to a named resource, with a fencing token that only grows. Not"
    " the Lease of the group coordination.k8s.io.",
    spec=LeaseSpec,
    status=LeaseStatus,
    columns=(
        Column("State", ".status.state", "Whether it is held, and surely so."),
        Column("Holder", ".status.holder", "Who holds it."),
        Column("Token", ".status.token", "The fencing token of that holder.", "integer"),
        Column("Held", ".status.acquiredAt", "Time since the holder took it.", "date"),
        Column("Expires", ".status.expiresAt", "Until when, unless renewed since the last change."),
        _AGE,
        Column("Waiters", ".status.waiters", "How many stood in its line.", "integer", wide=True),
        Column("Resource", ".spec.resource", "What it is about.", wide=True),
        Column("Reason", _condition("reason"), "Why it is as it is.", wide=True),
        _MESSAGE,
    ),
    selectable=(".spec.resource", ".status.state", ".status.holder"),
)

KINDS = (AGENT, JOB, SCHEDULE, LEASE)


def definition(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    lower = kind.name.lower()
    names = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": lower,
        "shortNames": [kind.short_name],
        "categories": [CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "annotations": {ANNOTATION_CRD_VERSION: str(CRD_VERSION)},
        },
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def installed_version(raw: dict[str, Any]) -> int:
    """The version that a CRD in the cluster says it has; 0 if it says none."""
    text = raw.get("metadata", {}).get("annotations", {}).get(ANNOTATION_CRD_VERSION, "")
    return int(text) if text.isdecimal() else 0


def to_yaml(manifest: dict[str, Any]) -> str:
    """Plain YAML: no anchors, keys in the order given."""
    return yaml.dump(manifest, Dumper=_Plain, sort_keys=False, width=100)


class _Plain(yaml.SafeDumper):
    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _version(kind: Kind) -> dict[str, Any]:
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.to_wire() for column in kind.columns],
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    version["schema"] = {"openAPIV3Schema": _root(kind)}
    return version


def _root(kind: Kind) -> dict[str, Any]:
    return {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "x-kubernetes-validations": [
            {"rule": rule.expression, "message": rule.message} for rule in (_NAME, *kind.rules)
        ],
        "properties": {
            "apiVersion": {
                "type": "string",
                "description": f"Group and version of this kind, {GROUP}/{VERSION}.",
                "maxLength": 253,
            },
            "kind": {
                "type": "string",
                "description": f"The name of this kind, {kind.name}.",
                "maxLength": 63,
            },
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            "status": structural(kind.status, defaults=False),
        },
    }
