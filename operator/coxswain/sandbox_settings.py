"""What agent pods have where their Agent says nothing; part of the operator's settings."""

from typing import Annotated, Literal

from pydantic import Field

from coxswain.configuration import Settings

Size = Annotated[str, Field(max_length=16, pattern="^[1-9][0-9]*(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
_LABEL = "[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?"
_REGISTRY = rf"(localhost|{_LABEL}(\.{_LABEL})+|{_LABEL}(\.{_LABEL})*:[0-9]{{1,5}})"
ImagePrefix = Annotated[
    str, Field(max_length=512, pattern=rf"^(\*|{_REGISTRY}(/[-._:@A-Za-z0-9]+)*/?)$")
]


class SandboxSettings(Settings):
    """What agent pods have where their Agent says nothing; part of the operator's settings."""

    agent_image: Annotated[str, Field(min_length=1, max_length=512)]
    """Image of the agent program."""
    agent_image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When nodes pull it."""
    agent_cpu_request: Size = "100m"
    """CPU that is set aside for a pod."""
    agent_cpu_limit: Size = "1"
    """CPU that a pod may use."""
    agent_memory: Size = "512Mi"
    """Memory that is set aside for a pod and that it may use."""
    agent_ephemeral_request: Size = "128Mi"
    """Disk that is set aside for a pod."""
    agent_ephemeral_limit: Size = "1Gi"
    """Disk that a pod may use; where its workspace is on it, at least that much and some more."""
    agent_tmp_size: Size = "256Mi"
    """Bound of /tmp."""
    door_cpu_request: Size = "20m"
    """CPU that is set aside for the door beside an image of one's own."""
    door_cpu_limit: Size = "500m"
    """CPU that it may use."""
    door_memory: Size = "128Mi"
    """Memory that is set aside for it and that it may use."""
    allowed_images: Annotated[list[ImagePrefix], Field(max_length=1000)] = []
    """Images that Agents and job types may name, as JSON: each in full, or whole parts of its name from
    the registry on, such as ["ghcr.io/team/"]; ["*"] allows any, none denies all."""
    runtime_class: Annotated[str, Field(max_length=253)] = ""
    """RuntimeClass such as gvisor for Agents that name none."""
    runtime_class_policy: Literal["auto", "require", "off"] = "auto"
    """auto: runtime_class where the cluster has it; require: no pod without one; off: only an Agent's."""
