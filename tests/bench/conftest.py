"""What hack/bench asks for, as benches get it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.postgres import database, postgres

__all__ = ["database", "postgres"]


@dataclass(frozen=True)
class Asked:
    """``size`` and ``seconds`` are None where a bench shall use its own."""

    runs: int
    size: int | None
    seconds: int | None
    json: Path | None


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of hack/bench."""
    group = parser.getgroup("bench")
    group.addoption("--runs", type=int, default=1)
    group.addoption("--size", type=int)
    group.addoption("--seconds", type=int)
    group.addoption("--json", type=Path)


@pytest.fixture
def asked(pytestconfig: pytest.Config) -> Asked:
    """What was asked for."""
    option = pytestconfig.getoption
    return Asked(option("--runs"), option("--size"), option("--seconds"), option("--json"))
