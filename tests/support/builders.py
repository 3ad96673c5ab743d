"""Readable Agents, Jobs and pods for tests: ``agent("row").with_model("demo").raw``."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

from coxswain import names
from coxswain.api.contract import RunDocument
from coxswain.api.kind import Agent, Job, Lease, Schedule
from coxswain.sandbox import images
from coxswain.sandbox.doors import Door, Doors
from coxswain.sandbox.pod import Platform, PodRequest
from coxswain.settings import SandboxSettings

Body = dict[str, Any]
CREATED = "2026-11-21T03:00:00Z"
NAMESPACE = "team"
DOORS = Doors(
    platform=Door("coxswain-api.coxswain-system.svc", ("10.96.0.11", "fd00::11"), 8080),
    models=Door("coxswain-models.coxswain-system.svc", ("10.96.0.12", "fd00::12"), 8081),
    web=Door("coxswain-egress.coxswain-system.svc", ("10.96.0.13", "fd00::13"), 8082),
)


def uid_of(kind: str, name: str) -> str:
    """The same uid for the same name, so that derived names can be told."""
    return str(uuid5(NAMESPACE_URL, f"{kind}/{name}"))


@dataclass(frozen=True)
class Builder:
    """An object of ours under construction; each step gives a new one."""

    kind: str
    name: str
    namespace: str = NAMESPACE
    spec: Body = field(default_factory=dict)
    status: Body = field(default_factory=dict)
    metadata: Body = field(default_factory=dict)

    def with_spec(self, **fields: Any) -> Self:
        """Set fields of the spec, by their names in YAML."""
        return replace(self, spec={**self.spec, **fields})

    def with_status(self, **fields: Any) -> Self:
        """Set fields of the status, by their names in YAML."""
        return replace(self, status={**self.status, **fields})

    def with_metadata(self, **fields: Any) -> Self:
        """Set fields of the metadata, by their names in YAML."""
        return replace(self, metadata={**self.metadata, **fields})

    def in_namespace(self, namespace: str) -> Self:
        """Put it elsewhere."""
        return replace(self, namespace=namespace)

    def with_condition(self, kind: str, status: str, reason: str, message: str = "") -> Self:
        """Add a condition, or replace the one of its type."""
        kept = [each for each in self.status.get("conditions", []) if each["type"] != kind]
        condition = {
            "type": kind,
            "status": status,
            "observedGeneration": 1,
            "lastTransitionTime": CREATED,
            "reason": reason,
            "message": message,
        }
        return self.with_status(conditions=[*kept, condition])

    def deleted(self, at: str = CREATED) -> Self:
        """Being deleted, and held by our finalizer."""
        return self.with_metadata(deletionTimestamp=at, finalizers=[names.FINALIZER])

    @property
    def manifest(self) -> Body:
        """What a person would apply."""
        return {
            "apiVersion": names.API_VERSION,
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": self.spec,
        }

    @property
    def raw(self) -> Body:
        """What the API server would send."""
        metadata = {
            "name": self.name,
            "namespace": self.namespace,
            "uid": uid_of(self.kind, self.name),
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": CREATED,
            **self.metadata,
        }
        return {**self.manifest, "metadata": metadata, "status": self.status}


@dataclass(frozen=True)
class AgentBuilder(Builder):
    """An Agent under construction."""

    def with_model(self, model: str = "demo", provider: str = "demo", **more: Any) -> Self:
        """Add a model; its alias is its name."""
        choice = {"alias": model, "provider": provider, "model": model, **more}
        return self.with_spec(models=[*self.spec.get("models", []), choice])

    def with_home(self, size: str = "1Gi", retention: str = "Delete") -> Self:
        """Give it a persistent workspace."""
        home = {"type": "Persistent", "size": size, "retention": retention}
        return self.with_spec(workspace=home)

    def with_image(self, image: str = "ghcr.io/team/tool:1", *command: str) -> Self:
        """Give it an image of its own."""
        more = {"command": list(command)} if command else {}
        return self.with_spec(runtime={"image": image, **more})

    def suspended(self) -> Self:
        """Let no new attempt start."""
        return self.with_spec(suspend=True)

    def ready(self) -> Self:
        """Ready, as the operator would say."""
        return self.with_status(phase="Ready", observedGeneration=1).with_condition(
            "Ready", "True", "Ready"
        )

    @property
    def parsed(self) -> Agent:
        """As the operator reads it."""
        return Agent.parse(self.raw)


@dataclass(frozen=True)
class JobBuilder(Builder):
    """A Job under construction."""

    def with_command(self, *command: str) -> Self:
        """Run a program instead of asking a model."""
        kept = {name: value for name, value in self.spec.items() if name != "prompt"}
        return replace(self, spec={**kept, "command": list(command)})

    def with_steps(self, *steps: Body) -> Self:
        """Do several things one after the other."""
        kept = {key: each for key, each in self.spec.items() if key not in ("prompt", "command")}
        return replace(self, spec={**kept, "steps": list(steps)})

    def of_type(self, name: str, given: object = None) -> Self:
        """Let a type say what to do."""
        kept = {key: each for key, each in self.spec.items() if key not in ("prompt", "command")}
        text = {} if given is None else {"input": json.dumps(given)}
        return replace(self, spec={**kept, "type": name, **text})

    def with_file(self, config_map: str, key: str, path: str | None = None) -> Self:
        """Add a file from a ConfigMap."""
        file = {"configMap": config_map, "key": key, "path": path or key}
        return self.with_spec(files=[*self.spec.get("files", []), file])

    def with_attempts(self, most: int, **more: Any) -> Self:
        """Allow that many attempts."""
        return self.with_spec(retry={"maxAttempts": most, "backoffSeconds": 0, **more})

    def cancelled(self) -> Self:
        """Ask for its end."""
        return self.with_spec(cancel=True)

    def running(self, attempt: int = 1) -> Self:
        """Running, as the operator would say."""
        pod = names.attempt_pod(self.name, uid_of("Job", self.name), attempt)
        entry = {"number": attempt, "podName": pod, "podUid": uid_of("Pod", pod), "token": attempt}
        return self.with_status(
            phase="Running",
            observedGeneration=1,
            attempt=attempt,
            attempts=[*self.status.get("attempts", []), {**entry, "startedAt": CREATED}],
            startedAt=CREATED,
        )

    @property
    def parsed(self) -> Job:
        """As the operator reads it."""
        return Job.parse(self.raw)


@dataclass(frozen=True)
class ScheduleBuilder(Builder):
    """A Schedule under construction."""

    def with_trigger(self, **trigger: Any) -> Self:
        """When it fires: cron, interval, at, onEvent or heartbeat."""
        return replace(self, spec={**trigger, "jobTemplate": self.spec["jobTemplate"]})

    def every(self, seconds: int) -> Self:
        """Fire at an interval."""
        return self.with_trigger(interval={"seconds": seconds})

    @property
    def parsed(self) -> Schedule:
        """As the operator reads it."""
        return Schedule.parse(self.raw)


def schedule(name: str = "report", agent: str = "helm") -> ScheduleBuilder:
    """A Schedule that makes a Job each minute."""
    made = {"agentRef": {"name": agent}, "title": "Read", "command": ["true"]}
    spec = {"interval": {"seconds": 60}, "jobTemplate": {"spec": made}}
    return ScheduleBuilder("Schedule", name, spec=spec)


@dataclass(frozen=True)
class LeaseBuilder(Builder):
    """A Lease under construction."""

    @property
    def parsed(self) -> Lease:
        """As the operator reads it."""
        return Lease.parse(self.raw)


def lease(name: str = "deploy", ttl_seconds: int = 30) -> LeaseBuilder:
    """A Lease of a resource of its own."""
    return LeaseBuilder("Lease", name, spec={"resource": f"git:{name}", "ttlSeconds": ttl_seconds})


def agent(name: str = "helm") -> AgentBuilder:
    """An Agent that says nothing but its name."""
    return AgentBuilder("Agent", name)


def job(name: str = "read", agent: str = "helm") -> JobBuilder:
    """A Job that asks an Agent something."""
    spec = {"agentRef": {"name": agent}, "title": "Read", "prompt": "What does it say?"}
    return JobBuilder("Job", name, spec=spec)


def sandbox_settings(**changes: Any) -> SandboxSettings:
    """Settings of the sandbox that take nothing from the environment but what is said."""
    return SandboxSettings(**{"agent_image": "registry.example/agent:1", **changes})


def platform(**changes: Any) -> Platform:
    """An installation; ``changes`` are settings of the sandbox."""
    return Platform("test", DOORS, sandbox_settings(**changes))


def run_document(agent: Agent, job: Job, attempt: int = 1) -> RunDocument:
    """The run of one attempt, resolved as the operator does."""
    return RunDocument(
        workspace=job.metadata.namespace,
        job_name=job.metadata.name,
        job_uid=job.metadata.uid,
        attempt=attempt,
        title=job.spec.title,
        prompt=job.spec.prompt,
        command=job.spec.command,
        steps=job.spec.steps or [],
        image=images.choose(None, agent.spec),
        type=job.spec.type,
        agent_name=agent.metadata.name,
        agent_uid=agent.metadata.uid,
        limits=agent.spec.limits,
        timeout_seconds=job.spec.timeout_seconds or agent.spec.limits.timeout_seconds,
    )


def pod_request(agent: Agent, job: Job, attempt: int = 1) -> PodRequest:
    """What the sandbox is asked to build for one attempt."""
    run = run_document(agent, job, attempt)
    chosen = agent.spec.sandbox.runtime_class_name
    return PodRequest(run, agent.spec, tuple(job.spec.files), chosen)
