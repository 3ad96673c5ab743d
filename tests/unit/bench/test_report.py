"""What a person and a program get to see of runs."""

import json
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.report import Report

LINES = [Figure("Jobs/s", "more", 0), Figure("p99, ms", "less", 1)]


def report(file: Path | None = None, sides: tuple[str, ...] = ("ours", "theirs")) -> Report:
    return Report("jobs", "10 at once", sides, LINES, file, {"kubernetes": "v1"})


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_of_one_run_the_values_are_shown_and_who_is_ahead() -> None:
    made = report()
    made.add("ours", {"Jobs/s": 150, "p99, ms": 20})
    made.add("theirs", {"Jobs/s": 100, "p99, ms": 30})
    found = cells(made.table())
    assert found[0] == ["jobs, 10 at once", "ours", "theirs", "ahead"]
    assert found[2:] == [["Jobs/s", "150", "100", "1.50"], ["p99, ms", "20.0", "30.0", "1.50"]]


def test_of_several_runs_the_middle_and_the_ends_are_shown() -> None:
    made = report()
    for value in (100, 300, 200):
        made.add("ours", {"Jobs/s": value})
        made.add("theirs", {"Jobs/s": 100})
    row = cells(made.table())[2]
    assert row == ["Jobs/s", "200 (100 to 300)", "100", "2.00 (1.00 to 3.00)"]


def test_what_one_side_alone_has_is_shown_and_compared_with_nothing() -> None:
    made = report()
    made.add("ours", {"Jobs/s": 1, "PATCH jobs": 2})
    made.add("theirs", {"Jobs/s": 1, "PUT jobs": 3})
    assert cells(made.table())[-2:] == [
        ["- PATCH jobs", "2.00", "-", "-"],
        ["- PUT jobs", "-", "3.00", "-"],
    ]


def test_each_peer_has_a_column_of_its_own() -> None:
    made = report(sides=("ours", "one", "other"))
    for side, value in (("ours", 4), ("one", 2), ("other", 1)):
        made.add(side, {"Jobs/s": value})
    found = cells(made.table())
    assert found[0][-2:] == ["ahead of one", "ahead of other"]
    assert found[2][-2:] == ["2.00", "4.00"]


def test_the_sides_take_turns_in_going_first() -> None:
    made = report()
    assert [list(made.order(run)) for run in range(3)] == [
        ["ours", "theirs"],
        ["theirs", "ours"],
        ["ours", "theirs"],
    ]


def test_each_sample_is_a_line_of_json_at_once(tmp_path: Path) -> None:
    file = tmp_path / "lines.json"
    made = report(file)
    made.add("ours", {"Jobs/s": 1.23456})
    made.add("theirs", {"Jobs/s": 2})
    made.add("ours", {"Jobs/s": 3})
    found = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(each["side"], each["run"]) for each in found] == [
        ("ours", 1),
        ("theirs", 1),
        ("ours", 2),
    ]
    assert found[0]["figures"] == {"Jobs/s": 1.2346}
    assert found[0]["about"] == {"kubernetes": "v1"}
    assert "cores" in found[0]["machine"]


def test_every_row_of_a_table_is_as_wide_as_the_others() -> None:
    made = report()
    made.add("ours", {"Jobs/s": 1_000_000, "a name that is long": 1})
    assert len({len(line) for line in made.table().splitlines()}) == 1
