"""Three minutes in which the node, the platform and the agents break, one act after the other, while work goes on."""

import json
import subprocess
from typing import Any

import pytest

from devtools import places, release
from devtools.kubectl import Kubectl
from devtools.tiers import PROVING

MINUTES = 3
# Containerd, Postgres and the kubelet die first; then time stands still, a network is cut, a disk is filled.
SEED = 370
FEWEST_ACTS = 5
Body = dict[str, Any]

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("on_the_node")]


@pytest.fixture(scope="module")
def told(on_the_node: None, tmp_path_factory: pytest.TempPathFactory) -> Body:
    """What the run came to; `story` is what it printed."""
    file = tmp_path_factory.mktemp("chaos") / "verdict.json"
    given = {"--minutes": MINUTES, "--seed": SEED, "--workspace": PROVING[0], "--json": file}
    words = [str(word) for pair in given.items() for word in pair]
    # Each of its waits is bounded; killed from here it would leave broken what it has broken.
    done = subprocess.run(
        [str(places.REPOSITORY / "hack" / "faults"), "chaos", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), done.stdout + done.stderr
    return {**json.loads(file.read_text()), "story": done.stdout}


def _holds(told: Body, *checks: str) -> None:
    broken = {each: found for each in checks if (found := told["judged"][each])}
    assert broken == {}, told["story"]


def test_there_was_enough_that_broke_and_enough_that_went_on(told: Body) -> None:
    hit = [each["name"] for each in told["acts"] if not each["idle"]]
    assert len(hit) >= FEWEST_ACTS, told["story"]
    assert {"kill the kubelet", "kill containerd", "kill Postgres"} <= {*hit}, told["story"]
    counts = told["counts"]
    assert counts["Jobs"] >= 20, counts
    assert counts["ticks"] == MINUTES * 60 / 5, counts
    assert counts["tokens of the Lease"] >= 5, counts
    assert counts["lines of the agents' own ledger"] >= 5, counts


def test_no_job_was_lost(told: Body) -> None:
    _holds(told, "no job is lost", "attempts without holes", "phases along the table")


def test_no_attempt_ran_twice(told: Body) -> None:
    _holds(
        told,
        "one live pod per attempt",
        "next attempt waits",
        "no attempt is claimed twice",
        "one effect per attempt",
        "no orphans",
    )


def test_each_tick_has_one_outcome(told: Body) -> None:
    _holds(told, "each tick has one outcome")


def test_tokens_only_grew(told: Body) -> None:
    _holds(told, "tokens grow")


def test_the_log_is_without_gaps_and_says_what_status_says(told: Body) -> None:
    _holds(told, "the log has no gap", "events equal status", "conditions in order")


def test_the_platform_answered_after_each_act_and_is_whole_again(
    told: Body, kubectl: Kubectl
) -> None:
    _holds(told, "the platform answers again", "quiet at the end")
    assert release.waiting(kubectl) == []


def test_every_revision_was_seen(told: Body) -> None:
    _holds(told, "every revision was seen")


def test_these_are_all_checks(told: Body) -> None:
    assert {name for name, found in told["judged"].items() if found} == set(), told["story"]


def test_no_rule_of_the_network_is_left(told: Body) -> None:
    saved = subprocess.run(
        ["iptables-save", "-t", "raw"], capture_output=True, text=True, check=True
    )
    assert "COXSWAIN-CHAOS" not in saved.stdout
