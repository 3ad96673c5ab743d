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
    after = [each for each in verdict.trace.commits if each.at > fired.at]
    begins = next(each for each in after if BEGINS in each.sql)
    late = [each for each in after if fired.at + AT_ONCE_SECONDS < each.at < begins.at]
    assert late == [], verdict.story()
    # Nobody waits for those who have ended already.
    assert "not everything is done" not in verdict.logs, verdict.logs
