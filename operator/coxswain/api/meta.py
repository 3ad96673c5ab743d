"""What all kinds share: the base model, references, quantities, and the marks that become CRD schema."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel


@dataclass(frozen=True)
class IntOrString:
    """The API server takes a number or a string here, as in every quantity of Kubernetes."""


@dataclass(frozen=True)
class ListMap:
    """A list that server-side apply merges by these keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A CEL rule on a field or a model; ``message`` says what was wanted."""

    expression: str
    message: str


def rules(*checks: Rule) -> dict[str, Any]:
    """Put CEL rules on a whole model: ``json_schema_extra=rules(...)``."""
    found = [{"rule": check.expression, "message": check.message} for check in checks]
    return {"x-kubernetes-validations": found}


class Model(BaseModel):
    """Frozen, camelCase outside, and closed: an unknown field is refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    def to_wire(self) -> dict[str, Any]:
        """The JSON form, without what was never set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


_SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
}
QUANTITY_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_QUANTITY = re.compile(QUANTITY_PATTERN)


def quantity(value: str | int) -> Decimal:
    """The number that a Kubernetes quantity stands for, in cores, bytes or pieces.

    Raises ValueError if it is no quantity.
    """
    text = str(value)
    match = _QUANTITY.match(text)
    if match is None:
        raise ValueError(f"'{text}' is not a quantity such as 500m, 2 or 1Gi")
    suffix = match.group(2) or ""
    return Decimal(text.removesuffix(suffix)) * _SUFFIXES[suffix]


def _is_quantity(value: str) -> str:
    quantity(value)
    return value


Quantity = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    StringConstraints(max_length=32),
    AfterValidator(_is_quantity),
    IntOrString(),
]

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=1024)]


class LocalReference(Model):
    """An object of a known kind in the same namespace."""

    name: Name
    """Its name."""
