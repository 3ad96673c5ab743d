"""Pages of decisions: one number each, and the parts of their template."""

import re
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("*.md"))
TEMPLATE = FOLDER / "0000-template.md"
# Those up to here were written before there was a template.
FREE = 63
NAME = re.compile(r"(\d{4})(?:-[a-z0-9]+)+\.md")
HEAD = re.compile(r"# (\d+)\. \S.*\n\n\*(?:\d{4}-\d{2}-\d{2}|year-month-day)\*\n")
PART = re.compile(r"^\*\*(\w+)\.\*\* \S", re.MULTILINE)


def number(page: Path) -> int:
    """The number in a page's name."""
    found = NAME.fullmatch(page.name)
    assert found, f"{page.name} is not NNNN-some-words.md"
    return int(found[1])


def parts(page: Path) -> list[str]:
    """What its paragraphs are about."""
    return PART.findall(page.read_text())


def test_no_two_decisions_have_the_same_number() -> None:
    assert [one for one, times in Counter(map(number, PAGES)).items() if times > 1] == []


def test_the_template_has_parts() -> None:
    assert parts(TEMPLATE) == ["Context", "Choice", "Price"]


@pytest.mark.parametrize(
    "page",
    [each for each in PAGES if each == TEMPLATE or number(each) > FREE],
    ids=lambda page: page.stem,
)
def test_a_decision_is_written_like_the_template(page: Path) -> None:
    head = HEAD.match(page.read_text())
    assert head
    assert int(head[1]) == number(page)
    assert [each for each in parts(page) if each in parts(TEMPLATE)] == parts(TEMPLATE)
