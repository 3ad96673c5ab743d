"""How many Jobs come from one."""

from typing import Any

import pytest

from coxswain import names
from coxswain.api import lineage
from coxswain.reconcile.descent import Descent
from tests.support.worlds import PaperWorld, job

PARENT = "11111111-1111-4111-8111-111111111111"


def _from(name: str, second: int, parent: str = PARENT) -> dict[str, Any]:
    found = lineage.after("Child", "first", parent, of=None, by="user:local")
    at = f"2026-11-21T03:00:{second:02}Z"
    annotations = {names.ANNOTATION_LINEAGE: found.model_dump_json()}
    return job(name, metadata={"annotations": annotations, "creationTimestamp": at})


def test_each_counts_the_older_ones_of_the_same_origin_once() -> None:
    descent, jobs = Descent(), [_from(f"n{n}", n) for n in range(4)]
    for each in (*reversed(jobs), *jobs, _from("other", 0, PARENT.replace("1", "2"))):
        descent.keep(each)
    assert [descent.ahead(each) for each in jobs] == [0, 1, 2, 3]
    descent.forget(jobs[1])
    assert [descent.ahead(each) for each in (jobs[0], jobs[2], jobs[3])] == [0, 1, 2]


def test_one_that_has_begun_goes_before_all_others_whenever_they_were_made() -> None:
    descent, jobs = Descent(), [_from(f"n{n}", n) for n in range(4)]
    for each in jobs:
        descent.keep(each)
    descent.begin(jobs[3])
    assert [descent.ahead(each) for each in jobs] == [1, 2, 3, 3]
    descent.forget(jobs[3])
    assert [descent.ahead(each) for each in jobs[:3]] == [0, 1, 2]


def test_after_a_restart_those_with_an_attempt_have_begun() -> None:
    descent, jobs = Descent(), [_from(f"n{n}", n) for n in range(2)]
    descent.keep(jobs[0])
    descent.keep({**jobs[1], "status": {"attempts": [{"number": 1}]}})
    assert descent.ahead(jobs[0]) == 1


@pytest.mark.parametrize("text", [None, "", "{}", "nonsense", '{"relation": "Child"}'])
def test_a_job_that_comes_from_nowhere_is_not_counted(text: str | None) -> None:
    annotations = {} if text is None else {names.ANNOTATION_LINEAGE: text}
    orphan = job("orphan", metadata={"annotations": annotations})
    descent = Descent()
    descent.keep(orphan)
    assert descent.ahead(orphan) == 0
    descent.forget(orphan)


def test_depth_counts_on_from_job_to_job() -> None:
    first = lineage.after("Child", "a", PARENT, of=None, by="user:local")
    second = lineage.after("Rerun", "b", PARENT, of=first, by="user:local")
    assert (first.depth, second.depth) == (1, 2)


async def test_the_intake_counts_who_comes_and_forgets_who_is_gone() -> None:
    paper = PaperWorld()
    first, second = _from("n1", 1), _from("n2", 2)
    paper.intake.notice("Job", "ADDED", first)
    paper.intake.notice("Job", "ADDED", second)
    assert paper.world.descent.ahead(second) == 1
    paper.intake.notice("Job", "DELETED", first)
    assert paper.world.descent.ahead(second) == 0
