"""Where a Job comes from: the annotation coxswain.dev/lineage, which the API writes."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from coxswain import names
from coxswain.api.meta import Caller, Model, Name


class Lineage(Model):
    """The Job that another one was made from."""

    relation: Literal["Rerun", "Child"]
    """Rerun: the same work once more. Child: made on account of that Job."""
    job: Name
    """Its name."""
    uid: Annotated[str, StringConstraints(pattern="^[-0-9a-f]{36}$")]
    """Its uid: names come again."""
    depth: Annotated[int, Field(ge=1, le=1_000_000)]
    """How many came before, one after the other."""
    by: Caller
    """Who asked for it."""


def read(annotations: dict[str, str]) -> Lineage | None:
    """What stands there; None where nothing does that can be read."""
    text = annotations.get(names.ANNOTATION_LINEAGE)
    if text is None:
        return None
    try:
        return Lineage.model_validate_json(text)
    except ValidationError:
        return None


def problem(annotations: dict[str, str]) -> str | None:
    """Why what stands there cannot be read; None where nothing stands there, or it can."""
    text = annotations.get(names.ANNOTATION_LINEAGE)
    if text is None:
        return None
    try:
        Lineage.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(["", *(str(step) for step in first["loc"])])
        return f"metadata.annotations[{names.ANNOTATION_LINEAGE}]{place}: {first['msg']}"
    return None


def after(
    relation: Literal["Rerun", "Child"], job: str, uid: str, *, of: Lineage | None, by: str
) -> Lineage:
    """The lineage of a Job that is made from another one, whose own is ``of``."""
    depth = 1 if of is None else of.depth + 1
    return Lineage(relation=relation, job=job, uid=uid, depth=depth, by=by)
