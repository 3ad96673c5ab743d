"""The part of an Agent that shapes its pods: how they are closed in, sized and placed.

It is a list of what may be chosen, not a pod template: nothing here can open the sandbox.
"""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from coxswain.api import quantity
from coxswain.api.egress import Egress
from coxswain.api.meta import (
    LABEL_VALUE,
    QUALIFIED_NAME,
    SUBDOMAIN,
    ListMap,
    LocalReference,
    Model,
    Name,
    Rule,
)
from coxswain.api.quantity import Quantity

PROFILE_PATH = "^[-._a-zA-Z0-9]+(/[-._a-zA-Z0-9]+)*$"
_LOCALHOST = "(self.type == 'Localhost') == has(self.localhostProfile)"


class Seccomp(Model):
    """The seccomp profile of the pod; Unconfined is not offered."""

    RULES: ClassVar = (
        Rule(
            _LOCALHOST,
            "localhostProfile goes with type Localhost, and only with it",
            lambda self: (self.type == "Localhost") == (self.localhost_profile is not None),
        ),
        Rule(
            "!has(self.localhostProfile) ||"
            " !self.localhostProfile.split('/').exists(part, part.startsWith('..'))",
            "localhostProfile stays below the kubelet's folder: no ..",
            lambda self: (
                not any(part.startswith("..") for part in (self.localhost_profile or "").split("/"))
            ),
        ),
    )

    type: Literal["RuntimeDefault", "Localhost"] = "RuntimeDefault"
    """Which sort of profile."""
    localhost_profile: (
        Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=PROFILE_PATH)] | None
    ) = None
    """Path of a profile below the kubelet's folder, for type Localhost."""


class AppArmor(Model):
    """The AppArmor profile of the pod; Unconfined is not offered."""

    RULES: ClassVar = (
        Rule(
            _LOCALHOST,
            "localhostProfile goes with type Localhost, and only with it",
            lambda self: (self.type == "Localhost") == (self.localhost_profile is not None),
        ),
    )

    type: Literal["RuntimeDefault", "Localhost"] = "RuntimeDefault"
    """Which sort of profile."""
    localhost_profile: (
        Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[^\s]+$")] | None
    ) = None
    """Name of a profile that is loaded on the node, for type Localhost."""


class SELinux(Model):
    """The SELinux label of the pod, within what Pod Security restricted allows."""

    level: Annotated[str, StringConstraints(max_length=128, pattern="^[-a-z0-9:,.]+$")] | None = (
        None
    )
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
    """The seccomp profile; Unconfined is not offered."""
    app_armor: AppArmor | None = None
    """The AppArmor profile, on nodes that have AppArmor; Unconfined is not offered."""
    se_linux: SELinux | None = None
    """The SELinux label, on nodes that have SELinux."""
    egress: Egress = Egress()
    """What its pods may reach outside; nothing unless it is listed."""


PLAIN_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_PLAIN = str(list(PLAIN_RESOURCES))
_DEVICE = rf"{SUBDOMAIN}/[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"


def is_device(name: str) -> bool:
    """Whether this names an extended resource, such as nvidia.com/gpu."""
    return (
        re.fullmatch(_DEVICE, name) is not None
        and name.index("/") <= 240
        and "kubernetes.io/" not in name
        and not name.startswith("requests.")
    )


def _each(field: str, condition: str) -> str:
    return f"!has(self.{field}) || self.{field}.all(name, {condition})"


def _limits_are_known(resources: "Resources") -> bool:
    return all(name in PLAIN_RESOURCES or is_device(name) for name in resources.limits)


def _limits_are_positive(resources: "Resources") -> bool:
    return all(quantity.number(value) > 0 for value in resources.limits.values())


def _requests_fit(resources: "Resources") -> bool:
    limits = resources.limits
    return all(
        quantity.number(value) <= quantity.number(limits.get(name, value))
        for name, value in resources.requests.items()
    )


def _devices_are_whole(resources: "Resources") -> bool:
    return all(
        name in PLAIN_RESOURCES or value.isdecimal() for name, value in resources.limits.items()
    )


ResourceList = Annotated[dict[str, Quantity], Field(max_length=16)]


class Resources(Model):
    """What one pod asks for and may use at most, as in a container of Kubernetes.

    What is not set is taken from the installation's defaults, so requests and limits for cpu,
    memory and ephemeral-storage always stand. Memory is always requested in full.
    """

    RULES: ClassVar = (
        Rule(
            _each("requests", f"name in {_PLAIN}"),
            "requests may name cpu, memory and ephemeral-storage",
            lambda self: all(name in PLAIN_RESOURCES for name in self.requests),
        ),
        Rule(
            _each(
                "limits",
                f"name in {_PLAIN} || name.matches(r'^{_DEVICE}$') && name.indexOf('/') <= 240"
                " && !name.contains('kubernetes.io/') && !name.startsWith('requests.')",
            ),
            "limits may name cpu, memory, ephemeral-storage and extended resources such as"
            " nvidia.com/gpu",
            _limits_are_known,
        ),
        Rule(
            _each("limits", "quantity(string(self.limits[name])).isGreaterThan(quantity('0'))"),
            "a limit is more than 0, which Kubernetes takes for no limit at all",
            _limits_are_positive,
        ),
        Rule(
            "!has(self.limits) || "
            + _each(
                "requests",
                "!(name in self.limits) || quantity(string(self.requests[name]))"
                ".compareTo(quantity(string(self.limits[name]))) <= 0",
            ),
            "a request is at most its limit",
            _requests_fit,
        ),
        Rule(
            _each("limits", f"name in {_PLAIN} || string(self.limits[name]).matches('^[0-9]+$')"),
            "extended resources come in whole numbers",
            _devices_are_whole,
        ),
    )

    requests: ResourceList = {}
    """What the scheduler sets aside: cpu, memory, ephemeral-storage."""
    limits: ResourceList = {}
    """What the pod may use at most; extended resources such as nvidia.com/gpu stand here."""


LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=rf"^({LABEL_VALUE})?$")]


class Toleration(Model):
    """A taint that the pod tolerates, as in a pod of Kubernetes."""

    RULES: ClassVar = (
        Rule(
            "has(self.key) || self.operator == 'Exists'",
            "a toleration without a key has the operator Exists",
            lambda self: self.key is not None or self.operator == "Exists",
        ),
        Rule(
            "self.operator == 'Equal' || !has(self.value)",
            "value goes with the operator Equal",
            lambda self: self.operator == "Equal" or self.value is None,
        ),
        Rule(
            "!has(self.tolerationSeconds) || has(self.effect) && self.effect == 'NoExecute'",
            "tolerationSeconds goes with the effect NoExecute",
            lambda self: self.toleration_seconds is None or self.effect == "NoExecute",
        ),
    )

    key: (
        Annotated[
            str, StringConstraints(min_length=1, max_length=317, pattern=rf"^{QUALIFIED_NAME}$")
        ]
        | None
    ) = None
    """Key of the taint; none matches every key."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """How key and value are compared."""
    value: LabelValue | None = None
    """Value of the taint, for Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; none matches every effect."""
    toleration_seconds: Annotated[int, Field(ge=0, le=86400)] | None = None
    """How long a NoExecute taint is tolerated; none means for ever."""


class Scheduling(Model):
    """Where the pods may run."""

    RULES: ClassVar = (
        Rule(
            _each("nodeSelector", "!format.qualifiedName().validate(name).hasValue()"),
            "nodeSelector names labels of nodes",
            lambda self: all(
                re.fullmatch(QUALIFIED_NAME, name) and len(name.rpartition("/")[0]) <= 253
                for name in self.node_selector
            ),
        ),
    )

    node_selector: Annotated[dict[str, LabelValue], Field(max_length=16)] = {}
    """Labels that the node must have."""
    tolerations: Annotated[list[Toleration], Field(max_length=16)] = []
    """Taints that the pods tolerate."""
    image_pull_secrets: Annotated[list[LocalReference], Field(max_length=8), ListMap("name")] = []
    """Secrets for the image registry, read by the kubelet."""
