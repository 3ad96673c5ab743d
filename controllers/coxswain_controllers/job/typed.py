"""A Job with a type, as its type makes it: by its run row once that stands, before it by the type.

Whatever is refused is refused before the first attempt of a pod; what has begun goes on.
"""

from dataclasses import dataclass

from coxswain.api.contract import RunDocument
from coxswain.api.image import PLATFORM
from coxswain.api.job import TERMINAL, JobSpec
from coxswain.errors import UserError
from coxswain.reconcile.job_types import JobTypes
from coxswain.store.runs import Run
from coxswain_controllers.job.form import JobForm
from coxswain_controllers.job.snapshot import Contract

WITHOUT = Contract()


@dataclass(frozen=True, slots=True)
class Typed:
    """The spec as it counts, or why the Job is refused."""

    spec: JobSpec | UserError
    contract: Contract = WITHOUT


async def resolve(
    types: JobTypes, namespace: str, job: JobForm, run: Run | None, *, has_pod: bool
) -> Typed:
    """Apply the type of a Job that has one and has not ended."""
    spec = job.spec
    if isinstance(spec, UserError) or spec.type is None or job.status.phase in TERMINAL:
        return Typed(spec)
    if run is not None:
        return _by_row(spec, run.document)
    found = await types.resolve(namespace, spec)
    if not isinstance(found, UserError):
        of_type = found.type
        contract = Contract(of_type.output_schema, tuple(of_type.grants), of_type.image)
        return Typed(found.spec, contract)
    last = job.status.attempts[-1] if job.status.attempts else None
    is_open = has_pod or (last is not None and last.outcome is None)
    return Typed(spec if is_open else found)


def _by_row(spec: JobSpec, run: RunDocument) -> Typed:
    change = {
        "prompt": run.prompt,
        "command": run.command,
        "timeout_seconds": run.timeout_seconds,
        "retry": run.retry or spec.retry,
    }
    contract = Contract(run.output_schema, tuple(run.grants), run.image or PLATFORM)
    return Typed(spec.model_copy(update=change), contract)
