"""Dashboards ask only for what the platform measures."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import measured

FOLDER = Path(__file__).resolve().parents[2] / "charts" / "coxswain" / "dashboards"
DASHBOARDS = sorted(FOLDER.glob("*.json"))
METRIC = re.compile(r"\bcoxswain_[a-z_]+")
LABELS = re.compile(r"by \(([^)]*)\)")
# Prometheus gives every series an instance, and a histogram's buckets their bound.
GIVEN = {"instance", "le"}


def _expressions(dashboard: Path) -> Iterator[str]:
    document: dict[str, Any] = json.loads(dashboard.read_text())
    for panel in document["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


def _measured() -> dict[str, set[str]]:
    """Every name that Prometheus knows, with the labels that its series may have."""
    return {name: set(labels) for name, labels in measured.labels().items()}


def test_there_is_a_dashboard() -> None:
    assert DASHBOARDS


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_metric_of_a_dashboard_is_measured(dashboard: Path) -> None:
    measured = _measured()
    used = {name for each in _expressions(dashboard) for name in METRIC.findall(each)}
    assert used
    assert used <= set(measured)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_label_that_a_dashboard_groups_by_is_one_of_its_metric(dashboard: Path) -> None:
    measured = _measured()
    for expression in _expressions(dashboard):
        allowed = GIVEN.union(*(measured[name] for name in METRIC.findall(expression)))
        wanted = {
            label.strip() for found in LABELS.findall(expression) for label in found.split(",")
        }
        assert wanted <= allowed, expression


def test_the_outbox_is_shown_by_outcome_backlog_and_age() -> None:
    used = {
        name for each in DASHBOARDS for said in _expressions(each) for name in METRIC.findall(said)
    }
    assert used >= {
        "coxswain_callbacks_total",
        "coxswain_callbacks_pending",
        "coxswain_callbacks_oldest_seconds",
    }
