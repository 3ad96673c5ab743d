"""Hundreds of hand-overs with pauses, wrong clocks and lost answers; hack/bench leases plays ten thousand."""

from tests.support.handovers import Contest
from tests.support.leases import Leases


async def test_no_token_is_given_twice_and_no_stale_write_is_accepted(leases: Leases) -> None:
    history = await Contest(leases, wanted=300).run()
    assert (history.double_tokens, history.stale_writes) == (0, 0)
    assert (history.kept_wrongly, history.lost_wrongly) == (0, 0)
    assert history.is_replayed
    assert history.handovers >= 300
    assert min(history.accepted, history.refused, history.pauses, history.lost_answers) > 20
    assert min(history.believed_too_long, history.given_up_early, history.renewed) > 5
