"""What watches tell becomes the revisions of every object."""

from typing import Any

from coxswain.kube.watch import Change
from tests.faults.chaos import reading
from tests.faults.chaos.recording import Record
from tests.faults.history import Effect
from tests.support.histories import job, pod

OURS = "coxswain.dev/v1alpha1"


def _at(revision: int, form: dict[str, Any]) -> dict[str, Any]:
    metadata = {**form["metadata"], "resourceVersion": str(revision), "managedFields": [{}]}
    return {"metadata": metadata, "status": form.get("status", {})}


def _record() -> Record:
    return Record(lambda: 1.0)


def test_revisions_of_several_watches_stand_in_the_order_in_which_they_came_about() -> None:
    record = _record()
    record.changed("Job", OURS, Change("ADDED", _at(3, job())))
    record.changed("Job", OURS, Change("MODIFIED", _at(7, job(phase="Queued"))))
    record.changed("Pod", "v1", Change("ADDED", _at(5, pod(1))))
    record.changed("Pod", "v1", Change("DELETED", _at(9, pod(1))))
    found = record.changes()
    assert [each.revision for each in found] == [3, 5, 7, 9]
    assert [(each.before is None, each.after is None) for each in found] == [
        (True, False),
        (True, False),
        (False, False),
        (False, True),
    ]
    assert [each.kind for each in found] == ["Job", "Pod", "Job", "Pod"]
    assert "managedFields" not in found[0].newest["metadata"]


def test_a_second_list_of_a_kind_is_a_hole_and_that_of_another_group_is_none() -> None:
    record = _record()
    record.listed("Lease", OURS, [], 4)
    record.listed("Lease", "coordination.k8s.io/v1", [], 4)
    assert record.holes == []
    record.listed("Lease", OURS, [], 8)
    assert record.holes == [f"Lease of {OURS}: listed anew at revision 8, 1.0 s"]


def test_the_view_shows_what_lives() -> None:
    record = _record()
    form = pod(1)
    record.changed("Job", OURS, Change("ADDED", _at(3, job(phase="Queued"))))
    record.changed("Pod", "v1", Change("ADDED", _at(4, form)))
    assert [each["metadata"]["name"] for each in record.view.agents_pods()] == ["j-1"]
    assert record.view.jobs(lambda phase: phase == "Queued") == record.view.of_kind("Job")
    leaving = {**form, "metadata": {**form["metadata"], "deletionTimestamp": "now"}}
    record.changed("Pod", "v1", Change("MODIFIED", _at(5, leaving)))
    assert record.view.agents_pods() == []
    record.changed("Job", OURS, Change("DELETED", _at(6, job())))
    assert record.view.of_kind("Job") == []


def test_the_agents_own_lines_name_who_began() -> None:
    assert reading.effects("a-b/1\na-b/2\n") == (Effect("a-b", 1, "", 0), Effect("a-b", 2, "", 0))
