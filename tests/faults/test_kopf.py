"""What becomes of a leader whose watch kopf cannot mend."""

from pathlib import Path

from tests.faults import plan, play
from tests.faults.bed import Bed

REFUSED = Path(__file__).parent / "plans" / "answers" / "410-on-a-watch.yaml"
AT_ONCE_SECONDS = 3.0
BEGINS = "running_processes"
"""What a process writes first."""


def test_a_leader_that_hears_nothing_more_ends_at_once(bed: Bed) -> None:
    verdict = play.play(bed, plan.read(REFUSED))
    assert verdict.is_good, verdict.story()
    (fired,) = verdict.fired
    later = [each for each in verdict.trace.commits if each.at > fired.at + AT_ONCE_SECONDS]
    assert BEGINS in later[0].sql, verdict.story()
