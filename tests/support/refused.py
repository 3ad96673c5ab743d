"""A spec that must be refused, and the words in which."""

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from coxswain.api.agent import AgentSpec
from coxswain.api.job import JobSpec
from coxswain.api.lease import LeaseSpec
from coxswain.api.meta import Model
from coxswain.api.schedule import ScheduleSpec

Body = dict[str, Any]
MODELS: dict[str, type[Model]] = {
    "Agent": AgentSpec,
    "Job": JobSpec,
    "Lease": LeaseSpec,
    "Schedule": ScheduleSpec,
}
TRIGGERS = ("cron", "interval", "at", "onEvent", "heartbeat")


@dataclass(frozen=True)
class Refused:
    """A spec with one bad field (None: it is missing), the place that is named, a rule's words."""

    kind: str
    field: str
    bad: Any
    place: str
    words: str = ""

    @property
    def spec(self) -> Body:
        """A good spec but for the one field."""
        found = {**_base(self.kind, self.field), self.field: self.bad}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def model(self) -> type[Model]:
        """The model that must refuse it too."""
        return MODELS[self.kind]

    @override
    def __str__(self) -> str:
        return f"{self.kind}: {self.words or self.place}"


def _base(kind: str, field: str) -> Body:
    if kind == "Agent":
        return {}
    if kind == "Lease":
        return {"resource": "git:main"}
    job: Body = {"agentRef": {"name": "a"}, "title": "t"}
    if kind == "Job":
        return job if field in ("prompt", "command", "steps") else {**job, "prompt": "p"}
    template: Body = {"jobTemplate": {"spec": {**job, "prompt": "p"}}}
    return template if field in TRIGGERS else {**template, "interval": {"seconds": 60}}
