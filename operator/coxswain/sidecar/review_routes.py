"""What a person says about a Job in Review. The operator brings it about."""

from datetime import UTC, datetime

from pydantic import ValidationError

from coxswain import names
from coxswain.api.job import JobPhase
from coxswain.api.review import ReviewDecision
from coxswain.errors import ConflictError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import objects, owning, requests
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.wire import ObjectPath, Resource, ReviewRequest
from coxswain.web.routes import Answer, Call, route

NOT_IN_REVIEW = "job_not_in_review"
ANOTHER_ATTEMPT = "review_of_another_attempt"
DECIDED = "review_decided"


class ReviewRoutes:
    """Decisions about Jobs whose end does not decide itself."""

    def __init__(self, cluster: Objects) -> None:
        self._cluster = cluster

    @route(
        "POST", "/v1/workspaces/{workspace}/jobs/{name}/review", status=202, errors=(404, 409, 412)
    )
    async def review_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: ReviewRequest
    ) -> Answer[Resource]:
        """Decide what follows the attempt of a Job in Review. The same again is harmless if it names ``attempt``.

        409 job_not_in_review, review_of_another_attempt, or review_decided if another decision
        about this attempt stands; 412 if the Job changed meanwhile.
        """
        live = await objects.live(self._cluster, "Job", path.workspace, path.name)
        owning.require(caller, live)
        standing = objects.of(live, "Job")
        requests.check_unchanged(call, standing)
        attempt = int(standing.details.get("attempt", 0))
        former = _former(live["metadata"].get("annotations") or {})
        if former is not None and former.attempt == (body.attempt or attempt):
            if former.decision is not body.decision:
                raise ConflictError(
                    f"{former.by} has decided: {former.decision.value}", code=DECIDED
                )
            return _answer(standing)
        _check(standing, body, attempt)
        decided = ReviewDecision(
            attempt=attempt,
            decision=body.decision,
            by=str(caller),
            why=body.reason,
            at=datetime.now(UTC).isoformat(),
        )
        asked = requests.Asked(path, names.ANNOTATION_REVIEW, decided.to_wire())
        return _answer(await requests.annotate(self._cluster, asked, standing, standing.version))


def _check(standing: Resource, body: ReviewRequest, attempt: int) -> None:
    if standing.status != JobPhase.REVIEW:
        raise ConflictError(
            f"the Job is {standing.status}; only one in Review is decided on", code=NOT_IN_REVIEW
        )
    if body.attempt not in (None, attempt):
        raise ConflictError(
            f"attempt {attempt} is in Review, not {body.attempt}; look again", code=ANOTHER_ATTEMPT
        )


def _former(annotations: dict[str, str]) -> ReviewDecision | None:
    """The decision that stands; what nobody can read is none and is written over."""
    try:
        return ReviewDecision.model_validate_json(annotations.get(names.ANNOTATION_REVIEW, ""))
    except ValidationError:
        return None


def _answer(resource: Resource) -> Answer[Resource]:
    return Answer(resource, status=202, headers={"ETag": objects.etag(resource)})
