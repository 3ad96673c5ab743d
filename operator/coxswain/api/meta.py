"""What all kinds share: the base model with its rules, and small types for references.

Everything here is checked twice, and alike: by the API server through the CRD, and by pydantic,
since a restore or an older schema can bring objects that the API server never judged.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class Rule:
    """A rule over the fields of one model: in CEL for the API server, in Python for us.

    ``message`` says what was wanted. A rule about a change (``oldSelf``) has no Python form: only
    the API server sees both sides.
    """

    expression: str
    message: str
    holds: Callable[[Any], bool] | None = None


def unchanged(field: str) -> str:
    """CEL: the field is what it was. Not by ``.?``, whose cost the API server cannot bound."""
    return (
        f"has(self.{field}) == has(oldSelf.{field})"
        f" && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    )


class Model(BaseModel):
    """Frozen, camelCase outside, and closed: an unknown field is refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        for rule in self.RULES:
            if rule.holds is not None and not rule.holds(self):
                raise PydanticCustomError("rule", "{wanted}", {"wanted": rule.message})
        return self

    @classmethod
    def of_other_version(cls, value: Any) -> Self:
        """Read what a process of another version wrote: unknown fields are passed over, all the way
        down. For records and answers of ours only; what people write is never read so.
        """
        return cls.model_validate(value, extra="ignore")

    def to_wire(self) -> dict[str, Any]:
        """The JSON form, without what was never set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass(frozen=True)
class ListMap:
    """A list that server-side apply merges by this key; the key is unique in it."""

    key: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Refuse a repeated key."""
        return core_schema.no_info_after_validator_function(self._unique, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say so in the CRD."""
        marks = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}
        return {**handler(schema), **marks}

    def _unique(self, items: list[Any]) -> list[Any]:
        keys = [getattr(item, self.key) for item in items]
        for key in keys:
            if keys.count(key) > 1:
                raise PydanticCustomError("duplicate", "{key} stands twice", {"key": repr(key)})
        return items


@dataclass(frozen=True)
class ListSet:
    """A list of plain values in which none stands twice."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Refuse a repeated value."""
        return core_schema.no_info_after_validator_function(self._unique, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say so in the CRD."""
        return {**handler(schema), "x-kubernetes-list-type": "set"}

    def _unique(self, items: list[Any]) -> list[Any]:
        for item in items:
            if items.count(item) > 1:
                raise PydanticCustomError("duplicate", "{item} stands twice", {"item": repr(item)})
        return items


NAME_LIMIT = 63
NAME_MESSAGE = (
    f"metadata.name is at most {NAME_LIMIT} characters long, since pods carry it as a label"
)

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
LABEL_VALUE = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
QUALIFIED_NAME = rf"({SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"

Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=rf"^{SUBDOMAIN}$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern="^[-._a-zA-Z0-9]+$")]
WITHOUT_NUL = r"^[^\x00]*$"
"""Postgres keeps no NUL, and no program takes one as an argument."""

Text = Annotated[str, StringConstraints(max_length=1024, pattern=WITHOUT_NUL)]
Reason = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""Why somebody sets aside what automation would do: some words, not blanks alone."""
Caller = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=WITHOUT_NUL)]
"""Who asked, as ``user:NAME`` or ``key:NAME``: the name alone may have 128 characters."""


QueueName = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LIMIT, pattern=rf"^{_LABEL}$")
]
"""Pods carry their queue as a label."""


Workspace = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LIMIT, pattern=rf"^{_LABEL}$")
]
"""A namespace."""
_WHOLE_LABEL = re.compile(_LABEL)


def is_workspace(text: str) -> bool:
    """Whether a namespace may have this name."""
    return len(text) <= NAME_LIMIT and _WHOLE_LABEL.fullmatch(text) is not None


LeaseName = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LIMIT, pattern=rf"^{SUBDOMAIN}$")
]


class LocalReference(Model):
    """An object of a known kind in the same namespace."""

    name: Name
    """Its name."""
