"""The fixed sample: plans that are kept, by hand or drawn from made ones, each played on the real thing."""

from pathlib import Path

import pytest

from tests.faults import plan, play
from tests.faults.bed import Bed

FOLDER = Path(__file__).parent / "plans"


def _length(file: Path) -> tuple[float, str]:
    """The longest first: those that look on for long, then those that may take long."""
    found = plan.read(file)
    return -found.quiet_seconds - found.seconds, str(file)


FILES = sorted(FOLDER.rglob("*.yaml"), key=_length)


@pytest.mark.parametrize("file", FILES, ids=[str(each.relative_to(FOLDER)) for each in FILES])
def test_every_invariant_holds_at_every_revision(bed: Bed, file: Path) -> None:
    wanted = plan.read(file)
    verdict = play.play(bed, wanted)
    if verdict.shows_nothing:
        verdict = play.play(bed, wanted)
    assert verdict.is_good, verdict.story()
