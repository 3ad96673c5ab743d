"""Whether a Job is suspended: by its spec, or by somebody's request. Pure."""

from coxswain import names
from coxswain.api.job import JobSpec
from coxswain_controllers.job import manifest
from coxswain_controllers.job.snapshot import JobSnapshot


def why(snapshot: JobSnapshot) -> str | None:
    """Why no attempt may start, and what lets it; None where one may."""
    if isinstance(snapshot.spec, JobSpec) and snapshot.spec.suspend:
        return "spec.suspend is true; set it to false to let attempts start"
    by = manifest.asked_by(snapshot.metadata, names.ANNOTATION_SUSPEND)
    return None if by is None else f"{by}; POST .../resume lets attempts start"
