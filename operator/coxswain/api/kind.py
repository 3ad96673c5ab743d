"""Agent, Job, Schedule and Lease as they come from the API server: metadata that we use, spec, status.

What is stored may be older than the schema (a restore, a former version), so a spec is checked
again here. A status is ours and is read leniently: what does not fit is dropped, never the pass.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Self, TypeAlias, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from coxswain.api.agent import AgentSpec, AgentStatus
from coxswain.api.job import JobSpec, JobStatus
from coxswain.api.lease import LeaseSpec, LeaseStatus
from coxswain.api.meta import NAME_LIMIT, NAME_MESSAGE, Model
from coxswain.api.schedule import ScheduleSpec, ScheduleStatus
from coxswain.errors import UserError

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=Model)
Spec = TypeVar("Spec", bound=Model)
Status = TypeVar("Status", bound=Model)
Extra: TypeAlias = Literal["ignore"] | None
"""What becomes of unknown fields: passed over, or refused as the model says."""


class Metadata(BaseModel):
    """The part of an object's metadata that we go by; the rest is let through unread."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )

    name: str
    namespace: str
    uid: str
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: AwareDatetime
    deletion_timestamp: AwareDatetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the metadata of a whole object."""
        return _checked(cls, raw.get("metadata", {}), "metadata")


@dataclass(frozen=True, slots=True)
class Stored(Generic[Spec, Status]):
    """An object as stored. Each kind names the types of its spec and status."""

    SPEC: ClassVar[type[Model]]
    STATUS: ClassVar[type[Model]]

    metadata: Metadata
    spec: Spec
    status: Status

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read a stored object.

        Raises UserError with the path of what does not fit; Metadata.parse and status_of still
        work then.
        """
        metadata = _with_a_name_for_labels(Metadata.parse(raw))
        return cls(metadata, cls._spec_of(raw), cls.status_of(raw))

    @classmethod
    def recorded(cls, raw: Mapping[str, Any]) -> Self:
        """Read an object of the records, without acting on it: a field that only a newer version
        knows is passed over. Raises UserError as parse does.
        """
        return cls(Metadata.parse(raw), cls._spec_of(raw, "ignore"), cls.status_of(raw))

    @classmethod
    def status_of(cls, raw: Mapping[str, Any]) -> Status:
        """Read the status alone; never fails."""
        return _lenient(cast("type[Status]", cls.STATUS), raw.get("status"))

    @classmethod
    def _spec_of(cls, raw: Mapping[str, Any], extra: Extra = None) -> Spec:
        return _checked(cast("type[Spec]", cls.SPEC), raw.get("spec", {}), "spec", extra=extra)


class Agent(Stored[AgentSpec, AgentStatus]):
    """An Agent as stored."""

    SPEC, STATUS = AgentSpec, AgentStatus


class Job(Stored[JobSpec, JobStatus]):
    """A Job as stored."""

    SPEC, STATUS = JobSpec, JobStatus


class Schedule(Stored[ScheduleSpec, ScheduleStatus]):
    """A Schedule as stored."""

    SPEC, STATUS = ScheduleSpec, ScheduleStatus


class Lease(Stored[LeaseSpec, LeaseStatus]):
    """A Lease as stored."""

    SPEC, STATUS = LeaseSpec, LeaseStatus


def field_path(root: str, location: tuple[int | str, ...]) -> str:
    """Write a place as kubectl does: spec.models[0].baseURL."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return root + "".join(steps)


def _with_a_name_for_labels(metadata: Metadata) -> Metadata:
    if len(metadata.name) > NAME_LIMIT:
        raise UserError(NAME_MESSAGE, field="metadata.name")
    return metadata


def _checked(model: type[M], value: Any, root: str, *, extra: Extra = None) -> M:
    try:
        # By way of JSON, where strict means what the API server means: "5" is no number.
        return model.model_validate_json(json.dumps(value), strict=True, extra=extra)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = field_path(root, first["loc"])
        raise UserError(f"{path}: {first['msg']}", field=path) from error


def _lenient(model: type[S], value: Any) -> S:
    """Drop what does not fit, place by place, so that a newer version's field costs only itself."""
    rest = dict(value) if isinstance(value, Mapping) else {}
    try:
        return model.model_validate(rest)
    except ValidationError:
        # Only what is changed is copied: nearly every status fits.
        return _what_fits(model, deepcopy(rest))


def _what_fits(model: type[S], rest: dict[str, Any]) -> S:
    """One place at a time, since what goes moves the indexes of a list."""
    while True:
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False, include_context=False)[-1]
            is_missing = found["type"] == "missing"
            _drop(rest, found["loc"][:-1] if is_missing else found["loc"])


def _drop(value: dict[str, Any], location: tuple[int | str, ...]) -> None:
    """Remove the place, or the whole field it is in where that cannot be found."""
    place: Any = value
    try:
        for step in location[:-1]:
            place = place[step]
        del place[location[-1]]
    except (KeyError, IndexError, TypeError):
        if location:
            value.pop(str(location[0]), None)
        else:
            value.clear()
