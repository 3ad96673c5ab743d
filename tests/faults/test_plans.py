"""The fixed sample: plans that are kept, each played on the real thing."""

from pathlib import Path

import pytest

from tests.faults import plan, play
from tests.faults.bed import Bed

FOLDER = Path(__file__).parent / "plans"
FILES = sorted(FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=[str(each.relative_to(FOLDER)) for each in FILES])
def test_every_invariant_holds_at_every_revision(bed: Bed, file: Path) -> None:
    verdict = play.play(bed, plan.read(file))
    assert verdict.is_good, verdict.story()
