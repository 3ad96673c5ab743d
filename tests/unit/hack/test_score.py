"""The score of seeded bugs: what is kept of it, and how it is shown."""

import json
from pathlib import Path

import pytest

from devtools import markdown, score
from devtools.errors import ToolError
from devtools.mutants import Mutant
from devtools.score import Kept, Verdict
from tests.support.seeded import mutant

ONE, TWO, THREE, FOUR = (mutant(name) for name in ("one", "two", "three", "four"))


def said(by: Mutant) -> str:
    return {"one": "unit", "two": "store", "three": "survived"}.get(by.name, "broken")


def test_verdicts_are_kept_at_once_and_what_is_none_is_not(tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    seen: list[list[str]] = []

    def find(each: Mutant) -> str:
        seen.append([*json.loads(file.read_text())] if file.exists() else [])
        return said(each)

    words = score.tried([FOUR, TWO, ONE, THREE], find, Kept(file))
    assert seen == [[], [], ["two"], ["one", "two"]]
    assert words == {"four": "broken", "two": "store", "one": "unit", "three": "survived"}
    found = [Kept(file).of(each) for each in (ONE, TWO, THREE, FOUR)]
    assert [each and each.word for each in found] == ["unit", "store", "survived", None]


def test_a_run_that_was_cut_has_kept_what_it_had(tmp_path: Path) -> None:
    file = tmp_path / "score.json"

    def find(each: Mutant) -> str:
        if each is TWO:
            raise KeyboardInterrupt
        return said(each)

    with pytest.raises(KeyboardInterrupt):
        score.tried([ONE, TWO], find, Kept(file))
    assert Kept(file).of(ONE) == Verdict(ONE, "unit")
    assert Kept(file).of(TWO) is None


def test_a_patch_that_was_made_anew_is_not_known(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "score.json")
    kept.keep(Verdict(ONE, "unit"))
    assert kept.of(mutant("one", digest="d1")) is None


def test_what_is_no_more_or_another_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    kept = Kept(file)
    for each in (ONE, TWO, THREE):
        kept.keep(Verdict(each, "unit"))
    kept.forget_strangers([ONE, mutant("two", digest="d1")])
    assert [*json.loads(file.read_text())] == ["one"]
    kept.forget(["one"])
    assert json.loads(file.read_text()) == {}


def test_the_file_has_a_line_for_each_in_order(tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    for each in (TWO, ONE):
        Kept(file).keep(Verdict(each, "unit"))
    assert file.read_text().splitlines() == [
        "{",
        '  "one": {"patch": "d0", "by": "unit"},',
        '  "two": {"patch": "d0", "by": "unit"}',
        "}",
    ]


@pytest.mark.parametrize("text", ["", "[]", '{"one": {"patch": "d0"}}', '{"one": "unit"}'])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "score.json").write_text(text)
    with pytest.raises(ToolError, match=r"score\.json cannot be read"):
        Kept(tmp_path / "score.json")


def test_the_summary_counts_and_names_what_was_not_found() -> None:
    lines = score.summary([Verdict(each, said(each)) for each in (ONE, TWO, THREE, FOUR)])
    assert lines == [
        "caught 2 of 4",
        "  by unit: 1",
        "  by store: 1",
        "  survived: three: It counts one too many.",
        "  broken (its tests could not be run): four: It counts one too many.",
    ]


def test_the_page_has_a_row_for_each_class_and_hides_nothing() -> None:
    other = mutant("five", kind="token")
    words = {each: Verdict(each, said(each)) for each in (ONE, TWO, THREE)}
    text = score.shown({**words, other: None})
    assert "Caught 2 of 4: 1 by unit, 1 by store. Not tried yet: 1." in text
    assert "| off by one | 3 | 2 | unit 1, store 1 |\n| token | 1 | 0 |  |\n" in text
    assert "* `three` survived: It counts one too many.\n" in text


def test_only_the_marked_part_of_a_page_is_made() -> None:
    page = "# A\n<!-- score: made -->\nold\n<!-- end of score -->\n# B\n"
    made = markdown.with_part(page, "score", "new\n")
    assert made == "# A\n<!-- score: made -->\nnew\n<!-- end of score -->\n# B\n"
    assert markdown.with_part(made, "score", "new\n") == made


@pytest.mark.parametrize(
    "page", ["", "<!-- score: made -->\n", "<!-- end of score -->\n<!-- score: made -->\n"]
)
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ToolError, match="no part <!-- score"):
        markdown.with_part(page, "score", "new\n")
