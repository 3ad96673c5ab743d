"""The pages for bad days name what there is: routes, metrics, events, flags and pages."""

import re
from pathlib import Path

import pytest

from coxswain.api.event_types import registry
from coxswain.rules import flags
from coxswain.rules.overrides import TABLE as OVERRIDES
from coxswain.rules.permissions import TABLE
from devtools import places
from tests.support import measured

DOCS = places.REPOSITORY / "docs"
BY_HAND = [DOCS / "runbooks" / f"{name}.md" for name in ("incidents", "channel-credentials")]
PAGES = [*sorted((DOCS / "runbooks").glob("*.md")), DOCS / "troubleshooting.md"]
# What stands for a name in an address.
PLACE = r"(?:[A-Z]{2,}|\{\w+\})"
# The API server has such paths too.
ADDRESS = re.compile(r"(?<!/api)(?<!/openid)/v1/[-a-zA-Z0-9/{}_]+")
ROUTES = [
    (route, re.compile("^" + re.sub(r"\{\w+\}", lambda _: PLACE, route.partition(" ")[2]) + "$"))
    for route in TABLE
]


def addresses(text: str) -> set[str]:
    return set(ADDRESS.findall(text))


def routes_of(address: str) -> list[str]:
    return [route for route, pattern in ROUTES if pattern.match(address)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_for_bad_days_names_routes_metrics_and_pages_that_there_are(page: Path) -> None:
    text = page.read_text()
    assert [each for each in addresses(text) if not routes_of(each)] == []
    assert set(re.findall(r"\bcoxswain_[a-z_]+_total\b", text)) <= measured.families()
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).is_file()] == []


@pytest.mark.parametrize("page", BY_HAND, ids=lambda page: page.stem)
def test_a_page_without_an_alert_says_how_to_look_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    _, meaning, look, do = re.split(r"^# .*$|^## Look$|^## Do$", text, flags=re.MULTILINE)
    assert all(len(part.strip()) > 100 for part in (meaning, look, do))
    told = re.findall(r"`((?:run|job|lease)\.[a-z_.]+)`", text)
    assert [each for each in told if not registry.is_known(each)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_command_that_sets_automation_aside_gives_its_reason(page: Path) -> None:
    for line in page.read_text().splitlines():
        asked = {route for each in addresses(line) for route in routes_of(each)}
        if line.startswith("curl") and "-d" in line and asked & set(OVERRIDES):
            assert '"reason"' in line, line


def test_incidents_name_every_flag_that_stops_work() -> None:
    assert "schedulesEnabled" in flags.TABLE
    assert "schedulesEnabled" in (DOCS / "runbooks" / "incidents.md").read_text()
