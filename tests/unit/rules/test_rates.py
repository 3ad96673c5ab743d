from coxswain.rules import rates
from coxswain.rules.rates import Rate

RATE = Rate("user", burst=10, per_second=2)


def test_a_full_bucket_lets_its_burst_through_and_then_says_how_long_to_wait() -> None:
    bucket = rates.full(RATE, 100.0)
    found = [rates.take(bucket, RATE, 100.0) for _ in range(11)]
    assert [each.is_over for each in found] == [False] * 10 + [True]
    assert [each.left for each in found[:3]] == [9, 8, 7]
    assert (found[-1].wait, found[-1].full_in) == (1, 5)


def test_it_fills_steadily_and_never_beyond_its_burst() -> None:
    bucket = rates.full(RATE, 100.0)
    for _ in range(10):
        rates.take(bucket, RATE, 100.0)
    assert rates.take(bucket, RATE, 100.4).is_over
    assert not rates.take(bucket, RATE, 100.6).is_over
    assert rates.take(bucket, RATE, 100.7).is_over
    assert rates.take(bucket, RATE, 1000.0).left == 9


def test_a_refused_request_costs_nothing() -> None:
    bucket = rates.full(RATE, 0.0)
    for _ in range(1000):
        rates.take(bucket, RATE, 0.0)
    assert not rates.take(bucket, RATE, 0.5).is_over


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = rates.full(RATE, 100.0)
    for _ in range(10):
        rates.take(bucket, RATE, 100.0)
    assert rates.take(bucket, RATE, 90.0).is_over


def test_the_window_is_how_long_an_empty_bucket_takes_to_fill() -> None:
    assert RATE.window == 5
    assert Rate("odd", burst=10, per_second=3).window == 4
