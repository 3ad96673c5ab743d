"""Quantities."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from coxswain.api import quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), (3, 3), ("500m", "0.5"), ("1.5Gi", 1610612736), ("2k", 2000), ("1Pi", 2**50)],
)
def test_a_quantity_is_a_number(text: str | int, number: int | str) -> None:
    assert quantity.number(text) == Decimal(number)


@pytest.mark.parametrize(
    "bad", ["-1", "", "1e3", "1Gi\n", "Gi", "1 Gi", ".5", True, -1, 1.5, 10**15, "1" * 16]
)
def test_anything_else_is_refused(bad: object) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(quantity.Quantity)
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)
