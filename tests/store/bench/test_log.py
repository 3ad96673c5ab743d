"""hack/bench log in a small form: nothing is lost, repeated or out of order while everything is killed."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.support import killable_postgres
from tests.support.log_history import Verdict
from tests.support.log_trial import KINDS, Trial

EVENTS = 6_000
KILLS = 3


def test_no_event_is_lost_repeated_or_out_of_order_while_everything_is_killed(
    tmp_path: Path,
) -> None:
    with killable_postgres.started() as server:
        database = server.server.create()
        history = asyncio.run(Trial(server, database, tmp_path, EVENTS, KILLS).run())
    assert history.verdict == Verdict()
    assert (history.holes, history.walk.skipped, history.walk.repeated) == (0, 0, 0)
    assert history.is_good, history
    assert history.events >= EVENTS
    assert history.kills == Counter(dict.fromkeys(KINDS, KILLS // len(KINDS)))
