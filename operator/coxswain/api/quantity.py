"""Quantities as Kubernetes writes them: 500m, 2, 1Gi. Negative ones are refused."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
MOST = 10**15 - 1
_QUANTITY = re.compile(PATTERN)
_FACTORS: dict[str | None, Decimal] = {
    None: Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTP", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTP", 1)},
}


def number(value: str | int) -> Decimal:
    """The number that a quantity stands for, in cores, bytes or pieces.

    Raises ValueError if it is no quantity.
    """
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        raise ValueError(f"'{value}' is not a quantity such as 500m, 2 or 1Gi")
    suffix = match.group(2)
    return Decimal(match.group(0).removesuffix(suffix or "")) * _FACTORS[suffix]


@dataclass(frozen=True)
class IntOrString:
    """The API server takes a number or a string here, as in every quantity of Kubernetes."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Both forms, with the bounds of each."""
        return {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "minimum": 0,
            "maximum": MOST,
            "maxLength": 32,
            "pattern": PATTERN,
        }


def _as_text(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(max_length=32, pattern=PATTERN),
    IntOrString(),
]
