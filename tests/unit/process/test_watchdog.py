"""The watchdog's judgement; that it ends the process is shown with a real one."""

from coxswain.process.watchdog import Watchdog


def test_nothing_is_overdue_before_the_first_renewal() -> None:
    assert not Watchdog(10).is_overdue(1_000_000)


def test_the_deadline_counts_from_the_last_good_renewal() -> None:
    watchdog = Watchdog(10)
    watchdog.feed(100)
    assert not watchdog.is_overdue(110)
    assert watchdog.is_overdue(110.1)
    watchdog.feed(105)
    assert not watchdog.is_overdue(115)
    assert watchdog.is_overdue(115.1)


def test_a_lost_lease_is_overdue_at_once() -> None:
    watchdog = Watchdog(10)
    watchdog.feed(100)
    watchdog.trip()
    assert watchdog.is_overdue(0)


def test_a_lease_that_was_given_up_is_never_overdue() -> None:
    watchdog = Watchdog(10)
    watchdog.feed(100)
    watchdog.stop()
    assert not watchdog.is_overdue(1_000_000)
