"""What Prometheus is told of the line of Jobs."""

from coxswain.process.gauges import Lines
from coxswain.rules import caps
from coxswain.rules.caps import Caps
from coxswain.telemetry import metrics
from coxswain.telemetry.few import MOST_QUEUES, OTHER, Few
from tests.support.lines import Hall


def _series(name: str) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["workspace"], sample.labels["queue"]): sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_who_waits_and_who_holds_a_slot_is_told_by_workspace_and_queue() -> None:
    hall, lines = Hall(Caps(installation=1)), Lines()
    hall.comes("a", workspace="one")
    hall.comes("b", workspace="two", queue="nightly")
    hall.parks("c", caps.of_workspace("two"), workspace="two", queue="nightly")
    lines.show(hall.turns)
    assert _series("coxswain_jobs_waiting") == {("two", "nightly"): 2}
    assert _series("coxswain_jobs_holding_slots") == {("one", "default"): 1}
    hall.ends("a")
    hall.leaves("c")
    lines.show(hall.turns)
    assert _series("coxswain_jobs_waiting") == {}
    assert _series("coxswain_jobs_holding_slots") == {("two", "nightly"): 1}


def test_names_beyond_the_most_share_one_label() -> None:
    hall, lines = Hall(Caps(installation=1)), Lines()
    hall.comes("runs", queue="q0")
    for number in range(MOST_QUEUES + 5):
        hall.comes(f"j{number}", queue=f"q{number}")
    lines.show(hall.turns)
    found = _series("coxswain_jobs_waiting")
    assert len(found) == MOST_QUEUES + 1
    assert found["team", OTHER] == 5


def test_a_name_that_has_a_label_keeps_it() -> None:
    few = Few(1)
    assert [few.label(name) for name in ("a", "b", "a")] == ["a", OTHER, "a"]
