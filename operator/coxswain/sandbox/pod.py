"""The pod of one attempt. Same input, same manifest; nothing an Agent or Job says can open it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import RunDocument
from coxswain.api.job import JobFile
from coxswain.sandbox import beside, doors, limits, mounts, security
from coxswain.sandbox.doors import Doors
from coxswain.sandbox.mounts import Mounted
from coxswain.sandbox.volumes import owned_by
from coxswain.settings import SandboxSettings


@dataclass(frozen=True, slots=True)
class Platform:
    """What all agent pods of an installation have in common."""

    installation: str
    doors: Doors
    settings: SandboxSettings
    service_account: str = names.AGENT_SERVICE_ACCOUNT
    default_queues: tuple[str, ...] = (names.DEFAULT_QUEUE,)
    """The queues of Agents that name none."""
    is_traced: bool = False
    """Whether programs are told below which span they stand."""


@dataclass(frozen=True, slots=True)
class PodRequest:
    """One attempt as it was resolved."""

    run: RunDocument
    agent: AgentSpec
    files: tuple[JobFile, ...] = ()
    runtime_class: str | None = None
    """What ``runtime.choose`` said."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """More labels of the pod."""
    traceparent: str = ""
    """Below which span the program stands, as W3C Trace Context; empty where nobody traces."""


def build(request: PodRequest, platform: Platform) -> dict[str, Any]:
    """The finished manifest."""
    run = request.run
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.attempt_pod(run.job_name, run.job_uid, run.attempt),
            "namespace": run.workspace,
            "labels": {**request.labels, **_labels(run, platform.installation)},
            "annotations": {"kubectl.kubernetes.io/default-container": names.AGENT_CONTAINER},
            "ownerReferences": [owned_by("Job", run.job_name, run.job_uid)],
        },
        "spec": _spec(request, platform),
    }


def _labels(run: RunDocument, installation: str) -> dict[str, str]:
    return {
        names.LABEL_AGENT: run.agent_name,
        names.LABEL_JOB: run.job_name,
        names.LABEL_ATTEMPT: str(run.attempt),
        names.LABEL_INSTALLATION: installation,
        names.LABEL_MANAGED_BY: names.MANAGER,
        names.LABEL_PART_OF: names.MANAGER,
        names.LABEL_COMPONENT: names.COMPONENT_AGENT,
    }


def _spec(request: PodRequest, platform: Platform) -> dict[str, Any]:
    work = mounts.of_work(
        request.run, request.agent, request.files, platform.settings.agent_tmp_size
    )
    identity = mounts.of_identity(platform.installation)
    spec: dict[str, Any] = {
        "activeDeadlineSeconds": limits.deadline_seconds(request.run),
        "automountServiceAccountToken": False,
        "dnsConfig": {"nameservers": ["127.0.0.1"]},
        "dnsPolicy": "None",
        "enableServiceLinks": False,
        "hostAliases": doors.aliases(platform.doors),
        "priorityClassName": names.AGENT_PRIORITY_CLASS,
        "restartPolicy": "Never",
        "securityContext": security.of_pod(request.agent.sandbox),
        "serviceAccountName": platform.service_account,
        "terminationGracePeriodSeconds": limits.GRACE_SECONDS,
        **{name: value for name, value in request.agent.scheduling.to_wire().items() if value},
    }
    if request.runtime_class is not None:
        spec["runtimeClassName"] = request.runtime_class
    containers = _alone if request.run.image is None else _beside
    return spec | containers(request, platform, work, identity)


def _alone(
    request: PodRequest, platform: Platform, work: list[Mounted], identity: Mounted
) -> dict[str, Any]:
    """Our image: its program does the work and is the door."""
    mounted = [*work, identity]
    container = _container(request, platform, mounted)
    return {"containers": [container], "volumes": mounts.on_pod(mounted)}


def _beside(
    request: PodRequest, platform: Platform, work: list[Mounted], identity: Mounted
) -> dict[str, Any]:
    """An image of its own, and our door as a native sidecar."""
    run, agent, settings = request.run, request.agent, platform.settings
    own = [*work, *mounts.of_handed(run)]
    of_door = [identity, *beside.of_door(run, agent, mounts.of_files(request.files))]
    return {
        "initContainers": [beside.door(settings, _env(request, platform), of_door)],
        "containers": [beside.program(run, agent, settings, own, request.traceparent)],
        "volumes": mounts.on_pod([*own, *of_door]),
    }


def _container(request: PodRequest, platform: Platform, mounted: list[Mounted]) -> dict[str, Any]:
    sizes = limits.sizes(request.agent, platform.settings)
    return {
        "name": names.AGENT_CONTAINER,
        "image": platform.settings.agent_image,
        "imagePullPolicy": platform.settings.agent_image_pull_policy,
        "env": _env(request, platform),
        "resources": {"requests": sizes.requests, "limits": sizes.limits},
        "securityContext": security.of_container(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts.on_container(mounted),
        "workingDir": names.WORKSPACE_PATH,
    }


def _env(request: PodRequest, platform: Platform) -> list[dict[str, str]]:
    """What a container of ours is told."""
    run = request.run
    found = {
        "COXSWAIN_URL": platform.doors.platform.url,
        "COXSWAIN_MODELS_URL": platform.doors.models.url,
        "COXSWAIN_EGRESS_URL": platform.doors.web.url,
        "COXSWAIN_TOKEN_FILE": names.TOKEN_FILE,
        "COXSWAIN_RUN": names.run_id(run.job_uid, run.attempt),
        "COXSWAIN_WORKSPACE": names.WORKSPACE_PATH,
        "HOME": names.WORKSPACE_PATH,
    }
    if request.traceparent:
        found["COXSWAIN_TRACEPARENT"] = request.traceparent
    return [{"name": name, "value": value} for name, value in found.items()]
