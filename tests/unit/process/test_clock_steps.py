"""Steps of the wall clock."""

from coxswain.process.clock_steps import ClockSteps


def test_a_step_either_way_is_told_once_and_slow_drift_never() -> None:
    wall, monotonic = [1000.0], [50.0]
    steps = ClockSteps(lambda: wall[0], lambda: monotonic[0])

    def after(seconds: float, step: float = 0.0) -> float:
        monotonic[0] += seconds
        wall[0] += seconds + step
        return round(steps.step(), 3)

    assert after(1) == 0
    assert after(1, step=86_400) == 86_400
    assert after(1) == 0
    assert after(1, step=-86_400) == -86_400
    assert [after(1, step=0.01) for _ in range(500)] == [0] * 500
