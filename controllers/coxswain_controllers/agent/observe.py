"""What the cluster and the records say of an Agent."""

from coxswain.api.agent import AgentSpec
from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.api.kind import Agent, Metadata
from coxswain.errors import UnavailableError, UserError
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.sandbox import images, runtime
from coxswain_controllers.agent.snapshot import AgentSnapshot

KIND = "Agent"


async def observe(world: World, key: Key) -> AgentSnapshot | None:
    """Collect the snapshot of an Agent; None where it is gone."""
    raw = world.cache.get(KIND, key.uid)
    if raw is None:
        return None
    agent = _agent(raw)
    sandbox = await world.workspaces.condition(key.namespace)
    metadata, status = Metadata.parse(raw), Agent.status_of(raw)
    model = Seen(ConditionType.MODEL_READY, "Unknown", "Pending", "the spec does not fit")
    if not isinstance(agent, UserError):
        sandbox = await _of_agent(world, agent.spec, sandbox)
        model = await _model(world, agent)
    enforced = _enforced(world, key, sandbox)
    return AgentSnapshot(key, metadata, agent, status, model, sandbox, enforced)


def _enforced(world: World, key: Key, sandbox: Seen) -> Seen | None:
    """Nothing is probed before the workspace is onboarded."""
    if world.enforcement is None or sandbox.status != "True":
        return None
    return world.enforcement.condition(key.namespace)


def _agent(raw: Raw) -> Agent | UserError:
    try:
        return Agent.parse(raw)
    except UserError as error:
        return error


async def _of_agent(world: World, spec: AgentSpec, sandbox: Seen) -> Seen:
    """The workspace's condition, and whether the Agent's own runtime and image may be had."""
    kind, settings = ConditionType.SANDBOX_READY, world.platform.settings
    wanted = spec.sandbox.runtime_class_name
    present = await world.runtimes.present((wanted, settings.runtime_class))
    if sandbox.status != "True":
        return sandbox
    problem = runtime.choose(wanted, settings, present).problem
    if problem is not None:
        return Seen(kind, "False", "RuntimeClassMissing", problem)
    problem = images.problem(images.choose(None, spec), settings.allowed_images)
    if problem is not None:
        return Seen(kind, "False", images.NOT_ALLOWED, problem)
    return sandbox


async def _model(world: World, agent: Agent) -> Seen:
    """The gateway's verdict on this generation; an Agent without models needs none.

    While Postgres is away the last known word holds: whoever needs a record waits for that itself.
    """
    kind, metadata = ConditionType.MODEL_READY, agent.metadata
    if not agent.spec.models:
        return Seen(kind, "True", "NoModels", "the Agent names no model; it runs commands")
    try:
        verdict = await world.records.verdict(metadata.uid)
    except UnavailableError as error:
        last = find(agent.status.conditions, kind)
        if last is not None and last.observed_generation == metadata.generation:
            return Seen(kind, last.status, last.reason, last.message)
        return Seen(kind, "Unknown", "RecordsUnavailable", error.message)
    if verdict is None or verdict.generation != metadata.generation:
        text = "the model gateway has not checked the models yet"
        return Seen(kind, "Unknown", "Pending", text)
    return Seen(kind, "True" if verdict.ready else "False", verdict.reason, verdict.message)
