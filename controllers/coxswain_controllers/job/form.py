"""Stored Jobs and Agents as the Job's room reads them: once per version, and never failing."""

from dataclasses import dataclass

from coxswain.api.agent import AgentSpec, AgentStatus
from coxswain.api.job import JobSpec, JobStatus
from coxswain.api.kind import Agent, Job, Metadata
from coxswain.errors import UserError
from coxswain.reconcile.cache import Raw


@dataclass(frozen=True, slots=True)
class JobForm:
    """A Job; its spec may not fit."""

    metadata: Metadata
    spec: JobSpec | UserError
    status: JobStatus


@dataclass(frozen=True, slots=True)
class AgentForm:
    """An Agent; ``problem`` says why its spec does not fit."""

    metadata: Metadata
    spec: AgentSpec
    status: AgentStatus
    problem: str | None = None


def of_job(raw: Raw) -> JobForm:
    """Read a stored Job."""
    try:
        job = Job.parse(raw)
    except UserError as error:
        return JobForm(Metadata.parse(raw), error, Job.status_of(raw))
    return JobForm(job.metadata, job.spec, job.status)


def of_agent(raw: Raw) -> AgentForm:
    """Read a stored Agent."""
    try:
        agent = Agent.parse(raw)
    except UserError as error:
        problem = error.message
        return AgentForm(Metadata.parse(raw), AgentSpec(), Agent.status_of(raw), problem)
    return AgentForm(agent.metadata, agent.spec, agent.status)
