"""The kind Agent: who works, with which models, tools, limits and sandbox."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from coxswain.api.conditions import Condition
from coxswain.api.meta import ListMap, LocalReference, Model, Name, Quantity, Rule, Text, rules


class ConfigMapKey(Model):
    """One key of a ConfigMap in the same namespace."""

    name: Name
    """Name of the ConfigMap."""
    key: Annotated[
        str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")
    ]
    """The key whose text is taken."""


class Instructions(Model):
    """What the agent is told before its work; exactly one source."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.inline) != has(self.configMap)", "set exactly one of inline and configMap"
            )
        )
    )

    inline: Annotated[str, StringConstraints(min_length=1, max_length=16384)] | None = None
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

    alias: Annotated[
        str,
        StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
    ]
    """The name by which programs ask for it; the first of the list is also called default."""
    provider: Provider
    """Whose wire format and API it is. openai stands for every OpenAI-compatible server."""
    model: Annotated[str, StringConstraints(min_length=1, max_length=253)]
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

    allow: Annotated[list[Tool], Field(max_length=32)] = [
        Tool.LIST_FILES,
        Tool.READ_FILE,
        Tool.WRITE_FILE,
        Tool.RUN_COMMAND,
    ]
    """The tools that are offered to the model; an empty list offers none."""


class Limits(Model):
    """Bounds on one run."""

    max_steps: Annotated[int, Field(ge=1, le=1000)] = 50
    """Model calls in one run."""
    timeout_seconds: Annotated[int, Field(ge=1, le=604800)] = 3600
    """How long one attempt may take, unless its Job says less or more."""
    start_timeout_seconds: Annotated[int, Field(ge=10, le=3600)] = 300
    """How long a pod may take to start before the attempt is given up."""
    command_timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 30
    """How long a command of the run_command tool may take unless the call asks for another time, 300 at most."""


class Seccomp(Model):
    """The seccomp profile of the pod; Unconfined is not offered."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "(self.type == 'Localhost') == has(self.localhostProfile)",
                "localhostProfile goes with type Localhost, and only with it",
            )
        )
    )

    type: Literal["RuntimeDefault", "Localhost"] = "RuntimeDefault"
    """Which sort of profile."""
    localhost_profile: Annotated[str, StringConstraints(min_length=1, max_length=253)] | None = None
    """Path of a profile below the kubelet's folder, for type Localhost."""


class AppArmor(Seccomp):
    """The AppArmor profile of the pod; Unconfined is not offered."""


class SELinux(Model):
    """The SELinux label of the pod, within what Pod Security restricted allows."""

    level: Annotated[str, StringConstraints(max_length=128)] | None = None
    """The level, such as s0:c123,c456."""
    type: (
        Literal["container_t", "container_init_t", "container_kvm_t", "container_engine_t"] | None
    ) = None
    """The type, one that Pod Security allows."""


class Sandbox(Model):
    """How the pod is closed in, beyond what always holds."""

    runtime_class_name: Name | None = None
    """A RuntimeClass such as gvisor or kata."""
    seccomp: Seccomp = Seccomp()
    """The seccomp profile."""
    app_armor: AppArmor | None = None
    """The AppArmor profile, on nodes that have AppArmor."""
    se_linux: SELinux | None = None
    """The SELinux label, on nodes that have SELinux."""


ResourceName = Annotated[str, StringConstraints(min_length=1, max_length=253)]
ResourceList = Annotated[dict[ResourceName, Quantity], Field(max_length=16)]


class Resources(Model):
    """What one pod asks for and may use at most, as in a container of Kubernetes.

    What is not set here is taken from the installation's defaults, so requests and limits for cpu, memory and
    ephemeral-storage always stand.
    """

    requests: ResourceList = {}
    """What the scheduler sets aside."""
    limits: ResourceList = {}
    """What the pod may use at most; extended resources such as nvidia.com/gpu stand here."""


class Toleration(Model):
    """A taint that the pod tolerates, as in a pod of Kubernetes."""

    key: Annotated[str, StringConstraints(max_length=316)] | None = None
    """Key of the taint; none matches every key."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """How key and value are compared."""
    value: Annotated[str, StringConstraints(max_length=63)] | None = None
    """Value of the taint, for Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; none matches every effect."""
    toleration_seconds: Annotated[int, Field(ge=0, le=86400)] | None = None
    """How long a NoExecute taint is tolerated."""


LabelValue = Annotated[str, StringConstraints(max_length=63)]


class Scheduling(Model):
    """Where the pods may run."""

    node_selector: Annotated[
        dict[Annotated[str, StringConstraints(max_length=316)], LabelValue], Field(max_length=16)
    ] = {}
    """Labels that the node must have."""
    tolerations: Annotated[list[Toleration], Field(max_length=16)] = []
    """Taints that the pods tolerate."""
    image_pull_secrets: Annotated[
        list[LocalReference], Field(max_length=8), ListMap(("name",))
    ] = []
    """Secrets for the image registry, read by the kubelet."""


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

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(oldSelf.workspace) || has(self.workspace) && self.workspace.type == oldSelf.workspace.type"
                " && self.workspace.size == oldSelf.workspace.size || oldSelf.workspace.type == 'Ephemeral'",
                "a persistent workspace keeps its type and size; make another Agent for another one",
            )
        )
    )

    description: Text | None = None
    """What this agent is for, for people."""
    instructions: Instructions | None = None
    """What it is told before its work."""
    models: Annotated[list[ModelChoice], Field(max_length=8), ListMap(("alias",))] = []
    """The models that it may call; without one it can still run commands."""
    tools: Tools = Tools()
    """The tools that it may use."""
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
    conditions: Annotated[list[Condition], Field(max_length=16), ListMap(("type",))] = []
    """Accepted, ModelReady, SandboxReady, then Ready, Reconciling, Stalled."""
    workspace_claim: Annotated[str, StringConstraints(max_length=253)] | None = None
    """Name of the volume claim of a persistent workspace."""
