"""What many plans came to, in a few words."""

import argparse
from pathlib import Path

import pytest

from tests.faults import lanes, report
from tests.faults.hand_overs import HandOver
from tests.faults.plan import Plan
from tests.faults.report import Line


def _line(state: str, seconds: float = 1.0, *broken: str, over: tuple[HandOver, ...] = ()) -> Line:
    return Line("retry", "a", state, broken, seconds, over)


def test_the_figures_count_states_times_and_what_was_broken() -> None:
    lines = [_line("ok", 2.0), _line("ok", 4.0), _line("ok", 9.0), _line("idle")]
    lines += [_line("fail", 1.0, "tokens grow"), _line("fail", 1.0, "tokens grow", "no orphans")]
    said = report.figures(lines)
    assert "6 plans: 3 held, 2 did not, 1 found nothing to come true at" in said
    assert "4.0 s after the last fault (median), 9.0 s (99 of 100), 9.0 s (longest)" in said
    assert "2 tokens grow" in said
    assert "1 no orphans" in said


def test_the_figures_tell_how_long_nobody_led_by_how_leaders_had_ended() -> None:
    kills = [HandOver("kill", 3.0, 3.5), HandOver("kill", 2.0, 4.5), HandOver("kill", 4.0, 4.0)]
    lines = [
        _line("ok", over=(kills[0], HandOver("freeze", 5.0, 6.0))),
        _line("ok", over=(*kills[1:],)),
    ]
    said = report.figures(lines)
    assert (
        "3 leaders ended by a kill; the next one led after 3.0 s (median), 4.0 s (longest)" in said
    )
    assert "and acted after 4.0 s (median), 4.5 s (longest)" in said
    assert "1 leaders ended by a freeze; the next one led after 5.0 s" in said
    assert "leaders ended" not in report.figures([_line("ok")])


@pytest.mark.parametrize(("states", "code"), [((), 0), (("ok", "idle"), 0), (("ok", "fail"), 1)])
def test_only_what_did_not_hold_is_a_failure(states: tuple[str, ...], code: int) -> None:
    assert report.close([_line(each) for each in states], None) == code


def test_lines_that_are_kept_are_read_as_they_were(tmp_path: Path) -> None:
    lines = [_line("ok", over=(HandOver("kill", 3, 4.5),)), _line("fail", 1.5, "tokens grow")]
    report.close(lines, tmp_path / "lines")
    assert report.read(tmp_path / "lines") == lines


def test_the_shares_of_all_lanes_are_all_plans_each_once() -> None:
    plans = [Plan(name=f"p{n}", workload="retry") for n in range(7)]
    shares = [lanes.share(plans, (n, 3)) for n in (1, 2, 3)]
    assert sorted(each.name for share in shares for each in share) == [each.name for each in plans]
    assert lanes.share(plans, None) == plans


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/2/3"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no share; say I/N"):
        lanes.part(text)
