"""Which workspaces memory knows, and who hears of it."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from coxswain.errors import ForbiddenError
from coxswain.reconcile.reach import DOUBT_SECONDS, Reach
from coxswain.telemetry import metrics, pool_metrics
from tests.support.worlds import raw

KINDS = ("Job", "Pod")
REFUSED = ForbiddenError("GET /pods: 403 no")


class Ears:
    """What was told, in its order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def lost(self, workspace: str) -> None:
        self.told.append(f"{workspace} is lost")

    def found(self, workspace: str) -> None:
        self.told.append(f"{workspace} is back")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with capture_logs():
        yield
    pool_metrics.WORKSPACES_LOST.clear()


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def reach(ears: Ears) -> Reach:
    """Two workspaces, all of whose lists have come."""
    made = Reach(["a", "b"], KINDS)
    made.tell(ears)
    for workspace in ("a", "b"):
        for kind in KINDS:
            made.listed(workspace, kind)
    return made


def _shown() -> list[str]:
    text = metrics.text().decode()
    return [line for line in text.splitlines() if line.startswith("coxswain_workspaces_lost{")]


def test_where_the_whole_cluster_is_read_any_workspace_is_seen() -> None:
    reach = Reach()
    assert reach.is_whole
    assert reach.places == (None,)
    assert reach.sees("any")
    assert reach.seen() is None


def test_a_workspace_is_seen_once_each_of_its_lists_has_come(ears: Ears) -> None:
    reach = Reach(["a", "b"], KINDS)
    reach.tell(ears)
    assert reach.places == ("a", "b")
    reach.listed("a", "Job")
    assert not reach.sees("a")
    reach.listed("a", "Pod")
    assert reach.seen() == ["a"]
    assert ears.told == []


def test_a_workspace_that_is_not_named_is_not_seen(reach: Reach) -> None:
    assert not reach.sees("another")
    items = [raw("Job", "j", metadata={"namespace": each}) for each in ("a", "another")]
    assert [each["metadata"]["namespace"] for each in reach.only_seen(items)] == ["a"]


def test_one_refused_list_loses_its_workspace_and_no_other(reach: Reach, ears: Ears) -> None:
    reach.refused("a", "Pod", REFUSED)
    reach.refused("a", "Job", REFUSED)
    assert reach.seen() == ["b"]
    assert ears.told == ["a is lost"]
    assert _shown() == ['coxswain_workspaces_lost{workspace="a"} 1.0']


def test_it_is_back_once_the_last_refused_list_has_come(reach: Reach, ears: Ears) -> None:
    reach.refused("a", "Pod", REFUSED)
    reach.refused("a", "Job", REFUSED)
    reach.listed("a", "Pod")
    assert not reach.sees("a")
    assert ears.told == ["a is lost"]
    reach.listed("a", "Job")
    assert reach.sees("a")
    assert ears.told == ["a is lost", "a is back"]
    assert _shown() == []


def test_a_workspace_in_doubt_is_listed_anew_but_not_again_and_again() -> None:
    now, listed = [0.0], []
    reach = Reach(["a", "b"], KINDS, lambda: now[0])
    for each in ("a", "b"):
        reach.on_doubt(each, lambda each=each: listed.append(each))  # type: ignore[misc]
    reach.doubt("a")
    reach.doubt("a")
    assert listed == ["a"]
    now[0] = DOUBT_SECONDS
    reach.doubt("a")
    assert listed == ["a", "a"]


def test_where_the_whole_cluster_is_read_a_doubt_is_nothing() -> None:
    Reach().doubt("a")
