"""The kind Agent: who works, with which models, tools, limits and sandbox."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from coxswain.api import quantity
from coxswain.api.approval import CallApproval
from coxswain.api.conditions import Condition
from coxswain.api.image import ImageReference
from coxswain.api.meta import (
    WITHOUT_NUL,
    Key,
    ListMap,
    LocalReference,
    Model,
    Name,
    QueueName,
    Rule,
    Text,
    unchanged,
)
from coxswain.api.quantity import Quantity
from coxswain.api.sandbox import Resources, Sandbox, Scheduling
from coxswain.api.step import Command


class ConfigMapKey(Model):
    """One key of a ConfigMap in the same namespace."""

    name: Name
    """Name of the ConfigMap."""
    key: Key
    """The key whose text is taken."""


class Instructions(Model):
    """What the agent is told before its work; exactly one source."""

    RULES: ClassVar = (
        Rule(
            "has(self.inline) != has(self.configMap)",
            "set exactly one of inline and configMap",
            lambda self: (self.inline is None) != (self.config_map is None),
        ),
    )

    inline: (
        Annotated[str, StringConstraints(min_length=1, max_length=16384, pattern=WITHOUT_NUL)]
        | None
    ) = None
    """The text itself."""
    config_map: ConfigMapKey | None = None
    """Or a key of a ConfigMap that holds it."""


class Provider(StrEnum):
    """Who answers model calls. ``demo`` needs no key and says so in every answer."""

    DEMO = "demo"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class ModelChoice(Model):
    """One model that the agent may call, by its alias."""

    RULES: ClassVar = (
        Rule(
            "self.provider != 'demo' || !has(self.credentials) && !has(self.baseURL)",
            "the demo provider has neither credentials nor baseURL",
            lambda self: (
                self.provider != Provider.DEMO or (self.credentials is None and not self.base_url)
            ),
        ),
    )

    alias: Annotated[
        str,
        StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
    ]
    """The name by which programs ask for it; the first of the list is also called default."""
    provider: Provider
    """Whose wire format and API it is. openai stands for every OpenAI-compatible server."""
    model: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=WITHOUT_NUL)]
    """The provider's own name of the model."""
    base_url: Annotated[
        Annotated[str, StringConstraints(max_length=512, pattern=r"^https?://[^\s?#@]+$")] | None,
        Field(alias="baseURL"),
    ] = None
    """Where the provider is reached, if not at its own address."""
    credentials: LocalReference | None = None
    """A Secret of type coxswain.dev/provider; only the model gateway ever reads it."""


class Tool(StrEnum):
    """The tools of the built-in agent program."""

    LIST_FILES = "list_files"
    READ_FILE = "read_file"
    WRITE_FILE = "write_file"
    RUN_COMMAND = "run_command"


class Tools(Model):
    """What the agent may use."""

    RULES: ClassVar = (
        Rule(
            "!has(self.ask) || self.ask.all(tool, tool in self.allow)",
            "ask names tools that allow names too",
            lambda self: all(tool in self.allow for tool in self.ask),
        ),
    )

    allow: Annotated[list[Tool], Field(max_length=32)] = [
        Tool.LIST_FILES,
        Tool.READ_FILE,
        Tool.WRITE_FILE,
        Tool.RUN_COMMAND,
    ]
    """The tools that are offered to the model; an empty list offers none."""
    ask: Annotated[list[Tool], Field(max_length=32)] = []
    """Of these, the tools each call of which people have to agree to first; see approvals."""


class Runtime(Model):
    """Whose image runs the Agent's work, and with what."""

    image: ImageReference
    """The image, by tag or digest. It knows nothing of Coxswain; beside it runs a container of ours
    that alone holds the pod's token. The installation says which images are allowed."""
    command: Command | None = None
    """Its agent program, for prompts and steps, which it reads from its run; none starts the
    image's own entry point. A command of a Job, or of its type, is started in its place."""


class Limits(Model):
    """Bounds on one run."""

    max_steps: Annotated[int, Field(ge=1, le=1000)] = 50
    """Model calls in one run."""
    timeout_seconds: Annotated[int, Field(ge=1, le=604800)] = 3600
    """How long one attempt may take, unless its Job says less or more."""
    start_timeout_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    """How long a pod may take to start before the attempt is given up."""
    command_timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 30
    """How long a command of the run_command tool may take, unless the call asks for another time.

    The call may ask for 300 at most.
    """


class Quota(Model):
    """How much of this Agent may run at once; Jobs beyond it wait."""

    concurrent_jobs: Annotated[int, Field(ge=1, le=1000)] = 4
    """Jobs that run at the same time."""
    cpu: Quantity | None = None
    """Sum of the pods' CPU limits."""
    memory: Quantity | None = None
    """Sum of the pods' memory limits."""


class Workspace(Model):
    """The folder /workspace: empty for each attempt, or a home that stays."""

    RULES: ClassVar = (
        Rule(
            "quantity(string(self.size)).isGreaterThan(quantity('0'))",
            "size is more than 0",
            lambda self: quantity.number(self.size) > 0,
        ),
        Rule(
            "oldSelf.type == 'Ephemeral' || self.type == oldSelf.type"
            " && quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) == 0"
            f" && ({unchanged('storageClassName')})",
            "a persistent workspace keeps its type, size and class; make another Agent",
        ),
    )

    type: Literal["Ephemeral", "Persistent"] = "Ephemeral"
    """Ephemeral: empty for each attempt. Persistent: one volume for all, so one Job at a time."""
    size: Quantity = "1Gi"
    """Size of the volume, or bound of the empty folder."""
    storage_class_name: Name | None = None
    """StorageClass of the volume; none takes the cluster's default."""
    retention: Literal["Delete", "Retain"] = "Delete"
    """What becomes of the volume when the Agent is deleted."""


class AgentSpec(Model):
    """What should be."""

    RULES: ClassVar = (
        Rule(
            "!has(self.models) || self.models.all(choice, choice.provider == 'demo')"
            " || !self.models.exists(choice, choice.provider == 'demo')",
            "the demo provider does not stand beside a real one",
            lambda self: len({choice.provider == Provider.DEMO for choice in self.models}) < 2,
        ),
        Rule(
            "!has(self.models) || !self.models.exists(choice, choice.alias == 'default')"
            " || self.models[0].alias == 'default'",
            "only the first model may have the alias default",
            lambda self: "default" not in [choice.alias for choice in self.models[1:]],
        ),
        Rule(
            "!has(self.tools.ask) || self.tools.ask.size() == 0 || has(self.approvals)",
            "tools.ask needs approvals, which says who may agree",
            lambda self: not self.tools.ask or self.approvals is not None,
        ),
    )

    description: Text | None = None
    """What this agent is for, for people."""
    instructions: Instructions | None = None
    """What it is told before its work."""
    runtime: Runtime | None = None
    """An image of its own for its pods; none takes the platform's agent image."""
    models: Annotated[list[ModelChoice], Field(max_length=8), ListMap("alias")] = []
    """The models that it may call; without one it can still run commands."""
    tools: Tools = Tools()
    """The tools that it may use."""
    approvals: CallApproval | None = None
    """Who has to agree to calls of the tools in tools.ask."""
    limits: Limits = Limits()
    """Bounds on one run."""
    sandbox: Sandbox = Sandbox()
    """How its pods are closed in."""
    resources: Resources = Resources()
    """What one pod asks for and may use."""
    scheduling: Scheduling = Scheduling()
    """Where its pods may run."""
    quota: Quota = Quota()
    """How much of it may run at once."""
    queues: Annotated[list[QueueName], Field(max_length=32)] = []
    """The queues whose Jobs it takes; none takes those that the installation allows by default."""
    workspace: Workspace = Workspace()
    """Its folder /workspace."""
    suspend: bool = False
    """No new attempt starts while this is true; running ones go on."""


class AgentPhase(StrEnum):
    """A summary of the conditions, for people."""

    PENDING = "Pending"
    READY = "Ready"
    SUSPENDED = "Suspended"
    FAILED = "Failed"


class AgentStatus(Model):
    """What is."""

    phase: AgentPhase | None = None
    """A summary of the conditions."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this status is about."""
    conditions: Annotated[list[Condition], Field(max_length=16), ListMap("type")] = []
    """Accepted, ModelReady, SandboxReady, then Ready, Reconciling, Stalled."""
    workspace_claim: Annotated[str, StringConstraints(max_length=253)] | None = None
    """Name of the volume claim of a persistent workspace."""
