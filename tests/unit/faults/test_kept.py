"""What is kept in the repository fits together: plans, workloads, invariants and the page that lists them."""

from pathlib import Path

import pytest

from tests.faults import invariants, plan, workloads
from tests.faults.plan import Deed

REPOSITORY = Path(__file__).resolve().parents[3]
FILES = sorted((REPOSITORY / "tests" / "faults" / "plans").rglob("*.yaml"))
LONG_SECONDS = 60
"""What is played without faults is kept to see that nothing is written for so long."""
PAGE = (REPOSITORY / "docs" / "faults.md").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_a_kept_plan_is_whole_and_its_workload_is_there(file: Path) -> None:
    found = plan.read(file)
    assert found.faults or found.quiet_seconds >= LONG_SECONDS
    assert found.workload in workloads.names()


@pytest.mark.parametrize("name", workloads.names())
def test_a_workload_says_what_it_is_and_how_it_ends(name: str) -> None:
    found = workloads.named(name)
    assert found.about
    assert found.ends.jobs


def test_a_workload_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="no 'nothing'; there are agent_made_anew, "):
        workloads.named("nothing")


def test_the_page_names_every_invariant_and_every_deed() -> None:
    missing = [each for each in map(invariants.name, invariants.MODULES) if each not in PAGE]
    assert not missing
    assert not [each for each in Deed if f"`{each}`" not in PAGE]
