"""Plans as files: what is wrong in one is named with its place, and a file says all of a plan."""

from pathlib import Path

import pytest

from tests.faults import plan
from tests.faults.plan import Deed, Event, Fault, Plan, Request


def _read(folder: Path, text: str) -> Plan:
    file = folder / "a-plan.yaml"
    file.write_text(text)
    return plan.read(file)


def test_a_plan_has_the_name_of_its_file(tmp_path: Path) -> None:
    found = _read(tmp_path, "workload: retry\nfaults: [{request: {verb: create}, do: kill}]")
    assert found == Plan(
        name="a-plan",
        workload="retry",
        faults=(Fault(request=Request(verb="create"), do=Deed.KILL),),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workload: retry\nfalts: []", "falts: Extra inputs"),
        ("faults: []", "workload: Field required"),
        ("- 1", "a plan is a mapping"),
        ("workload: w\nfaults: [{do: kill}]", "faults.0: .*one of request, event and commit"),
        (
            "workload: w\nfaults: [{request: {}, event: {resource: pods}, do: kill}]",
            "faults.0: .*one of request, event and commit",
        ),
        ("workload: w\nfaults: [{request: {}, do: drop}]", "do: drop is not for this"),
        ("workload: w\nfaults: [{commit: {}, do: old}]", "do: old is not for this"),
        ("workload: w\nfaults: [{request: {}, do: freeze}]", "seconds: needed for freeze"),
        ("workload: w\nfaults: [{request: {}, do: kill, seconds: 1}]", "seconds: not for kill"),
        ("workload: w\nfaults: [{commit: {}, do: kill-etcd}]", "seconds: needed for kill-etcd"),
        ("workload: w\nfaults: [{request: {}, do: answer}]", "status: needed for answer"),
        (
            "workload: w\nfaults: [{event: {resource: jobs}, replica: sidecar, do: kill}]",
            "faults.0: .*the sidecar watches nothing",
        ),
        ("workload: w\nfaults: [{request: {nth: 0}, do: kill}]", "faults.0.request.nth"),
    ],
)
def test_a_plan_that_is_wrong_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=rf"a-plan\.yaml: .*{said}"):
        _read(tmp_path, text)


def test_a_plan_that_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    wanted = Plan(
        name="a-plan",
        workload="retry",
        replicas=2,
        faults=(
            Fault(event=Event(resource="pods", type="DELETED", nth=2), do=Deed.DROP),
            Fault(request=Request(), do=Deed.ANSWER, status=429, retry_after="2", lasts=5),
        ),
    )
    assert _read(tmp_path, plan.text(wanted)) == wanted
