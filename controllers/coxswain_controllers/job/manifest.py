"""What a Job and its Agent come to when an attempt is made: the run document and the pod."""

import json
from decimal import Decimal
from typing import Any

from coxswain import names
from coxswain.api import tracing
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import ModelRoute, RunDocument
from coxswain.api.job import JobSpec
from coxswain.api.kind import Metadata
from coxswain.rules import quota
from coxswain.sandbox import images, limits, pod, runtime
from coxswain.sandbox.pod import Platform, PodRequest
from coxswain.sandbox.volumes import INSTRUCTIONS_FILE
from coxswain_controllers.job.snapshot import AgentSeen, Contract, JobSnapshot


def document(snapshot: JobSnapshot, spec: JobSpec, agent: AgentSeen) -> RunDocument:
    """The resolved Job and Agent: an edit of either does not change a running attempt."""
    told = agent.spec.instructions
    return RunDocument(
        workspace=snapshot.key.namespace,
        job_name=snapshot.key.name,
        job_uid=snapshot.key.uid,
        attempt=snapshot.number,
        title=spec.title,
        description=spec.description,
        prompt=spec.prompt,
        command=spec.command,
        steps=spec.steps or [],
        image=image_of(snapshot),
        type=spec.type,
        input=spec.input,
        output_schema=snapshot.contract.output_schema,
        grants=list(snapshot.contract.grants),
        retry=spec.retry if spec.type is not None else None,
        agent_name=spec.agent_ref.name,
        agent_uid=agent.uid,
        instructions=told.inline if told is not None else None,
        instructions_file=_instructions_file(agent.spec),
        tools=list(agent.spec.tools.allow),
        ask=list(agent.spec.tools.ask),
        approvals=agent.spec.approvals,
        requester=snapshot.metadata.annotations.get(names.ANNOTATION_REQUESTER),
        limits=agent.spec.limits,
        timeout_seconds=spec.timeout_seconds or agent.spec.limits.timeout_seconds,
        models=[
            ModelRoute(
                alias=choice.alias,
                provider=choice.provider,
                model=choice.model,
                base_url=choice.base_url,
                secret_name=choice.credentials.name if choice.credentials is not None else None,
            )
            for choice in agent.spec.models
        ],
        egress=agent.spec.sandbox.egress.hosts,
        egress_bytes=agent.spec.sandbox.egress.most_bytes,
        repeatable=is_repeatable(spec, snapshot.contract),
        leases=spec.leases,
    )


def manifest(
    run: RunDocument,
    spec: JobSpec,
    agent: AgentSpec,
    platform: Platform,
    runtime_class: str | None,
    owner: str | None,
    *,
    traceparent: str,
) -> dict[str, Any]:
    """The pod of the attempt; its labels say where it counts."""
    labels = {names.LABEL_QUEUE: spec.queue}
    if owner is not None:
        labels[names.LABEL_OWNER] = owner
    request = PodRequest(run, agent, tuple(spec.files), runtime_class, labels, traceparent)
    return pod.build(request, platform)


def traceparent(snapshot: JobSnapshot, platform: Platform, attempt: int) -> str:
    """Below which span the attempt's program stands; empty where nobody traces."""
    if not platform.is_traced:
        return ""
    metadata = snapshot.metadata
    return tracing.of_attempt(tracing.of_job(metadata.uid, metadata.annotations), attempt).header


def image_of(snapshot: JobSnapshot) -> str | None:
    """The image of its own that runs the attempt; None is the platform's."""
    return images.choose(snapshot.contract.image, snapshot.agent_spec)


def demand(snapshot: JobSnapshot, platform: Platform) -> dict[str, Decimal]:
    """What the pod of the Job takes from the quotas."""
    has_door = image_of(snapshot) is not None
    containers = limits.of_pod(snapshot.agent_spec, platform.settings, has_door=has_door)
    return quota.demand((c.requests for c in containers), (c.limits for c in containers))


def runtime_of(agent: AgentSpec, platform: Platform, present: frozenset[str]) -> runtime.Runtime:
    """The RuntimeClass of the Agent's pods, or why there may be no pod."""
    return runtime.choose(agent.sandbox.runtime_class_name, platform.settings, present)


def is_repeatable(spec: JobSpec, contract: Contract) -> bool:
    """Programs may be tried again blindly only where the retry says so; a model's tools never."""
    programs = [step.command for step in spec.steps] if spec.steps else [spec.command]
    is_image_alone = contract.image is not None and spec.prompt is None and not spec.steps
    return (is_image_alone or None not in programs) and spec.retry.max_attempts > 1


def cancelled_by(metadata: Metadata) -> str | None:
    """Who asked for the end by annotation, and why; None where nobody did."""
    return asked_by(metadata, names.ANNOTATION_CANCEL)


def asked_by(metadata: Metadata, annotation: str) -> str | None:
    """Who asked for something by an annotation, and why; None where nobody did."""
    text = metadata.annotations.get(annotation)
    if text is None:
        return None
    try:
        asked = json.loads(text)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return f"annotation {annotation}"
    why = f": {asked['why']}" if asked.get("why") else ""
    return f"asked for by {asked.get('by', 'somebody')}{why}"[:1024]


def _instructions_file(agent: AgentSpec) -> str | None:
    if agent.instructions is None or agent.instructions.config_map is None:
        return None
    return f"{names.INSTRUCTIONS_PATH}/{INSTRUCTIONS_FILE}"
