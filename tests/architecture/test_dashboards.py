"""Dashboards and alerts ask only for what the platform measures, and say what they show."""

import json
import re
from typing import Any

import pytest

from devtools import places
from devtools.monitoring import drawing, objectives, rules
from tests.support import measured

FOLDER = places.REPOSITORY / "charts" / "coxswain" / "dashboards"
DASHBOARDS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.json"))}
COLUMNS = 24
"""Of a page, to Grafana."""
METRIC = re.compile(r"\b(?:coxswain|process)_[a-z_]+")
SELECTED = re.compile(r"\b((?:coxswain|process)_[a-z_]+)\{([^}]*)\}")
GROUPED = re.compile(r"\bby \(([^)]*)\)")
# The monitors give every series these, and a histogram's buckets their bound.
GIVEN = {"namespace", "pod", "container", "le"}
EXPRESSIONS = {
    **{
        f"{name}: {title}": expression
        for name, text in DASHBOARDS.items()
        for title, expression in drawing.queries(text)
    },
    **{alert.title: alert.expr for alert in rules.alerts() if "coxswain:" not in alert.expr},
    **{each.slo: each.ratio("5m") for each in objectives.OBJECTIVES},
}


def _labels_of(expression: str) -> set[str]:
    known = measured.labels()
    return GIVEN.union(*(known[name] for name in METRIC.findall(expression)))


def test_there_is_a_dashboard_for_each_part_and_none_is_left_over() -> None:
    assert set(DASHBOARDS) == {board.slug for board in drawing.BOARDS}
    assert len(DASHBOARDS) >= 6


@pytest.mark.parametrize("text", DASHBOARDS.values(), ids=DASHBOARDS)
def test_no_panel_reaches_beyond_the_page(text: str) -> None:
    beyond = {
        panel["title"]: panel["gridPos"]
        for panel in json.loads(text)["panels"]
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > COLUMNS
    }
    assert beyond == {}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_metric_of_a_query_is_measured(expression: str) -> None:
    used = set(METRIC.findall(expression))
    assert used
    assert used <= set(measured.labels())


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_label_of_a_query_is_one_of_its_metric(expression: str) -> None:
    grouped = {label.strip() for found in GROUPED.findall(expression) for label in found.split(",")}
    assert grouped <= _labels_of(expression)
    for metric, selector in SELECTED.findall(expression):
        chosen = set(re.findall(r"(\w+)\s*[=!]~?", selector))
        assert chosen <= GIVEN | measured.labels()[metric], metric


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_query_is_about_one_installation(expression: str) -> None:
    assert len(METRIC.findall(expression)) == expression.count("{@") + expression.count(
        drawing.SCOPE
    )


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_every_picture_says_what_it_shows_in_which_unit(dashboard: str) -> None:
    document: dict[str, Any] = json.loads(dashboard)
    panels = [panel for panel in document["panels"] if panel["type"] != "row"]
    assert panels
    for panel in panels:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
    places_taken = [panel["id"] for panel in document["panels"]]
    assert len(set(places_taken)) == len(places_taken)


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
def test_a_dashboard_has_its_address_and_its_choices(dashboard: str) -> None:
    document: dict[str, Any] = json.loads(dashboard)
    assert document["uid"].startswith("coxswain-")
    choices = [each["name"] for each in document["templating"]["list"]]
    asked = set(re.findall(r"\$\{?(\w+)", dashboard)) - {"__rate_interval"}
    assert asked == set(choices)


def test_every_metric_is_on_some_dashboard() -> None:
    shown = {name for each in DASHBOARDS.values() for name in METRIC.findall(each)}
    bare = {re.sub("_(bucket|count|sum)$", "", name) for name in shown}
    assert measured.families() - bare == set()
