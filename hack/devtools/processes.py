"""The settings of each process, by the word that starts it."""

from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from coxswain.channel_settings import ChannelGatewaySettings
from coxswain.configuration import PREFIX
from coxswain.settings import (
    EgressGatewaySettings,
    MigrateSettings,
    ModelGatewaySettings,
    OperatorSettings,
    Settings,
    SidecarSettings,
)
from coxswain_agent.settings import AgentSettings

PROCESSES: dict[str, type[Settings]] = {
    "sidecar": SidecarSettings,
    "models": ModelGatewaySettings,
    "egress": EgressGatewaySettings,
    "operator": OperatorSettings,
    "migrate": MigrateSettings,
    "channels": ChannelGatewaySettings,
    "agent": AgentSettings,
}
# Those whose containers the chart's values give more variables, by the name of their values.
WITH_EXTRA = ("operator", "sidecar", "models", "egress", "channels")


class Variable(NamedTuple):
    """A setting as a process knows it."""

    name: str
    field: FieldInfo
    schema: dict[str, Any]
    root: dict[str, Any]


def variables(process: str) -> list[Variable]:
    """Every setting of a process, in the order of its model."""
    model = PROCESSES[process]
    root = model.model_json_schema()
    return [
        Variable(f"{PREFIX}{name.upper()}", field, root["properties"][name], root)
        for name, field in model.model_fields.items()
    ]


def summary(process: str) -> str:
    """What the process is, in a line."""
    return (PROCESSES[process].__doc__ or "").strip().splitlines()[0]
