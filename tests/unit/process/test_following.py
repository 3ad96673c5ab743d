"""Which streams a leader has."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from coxswain.errors import ForbiddenError, UnavailableError
from coxswain.kube.watch import Hears, Raw, Stream
from coxswain.process import following
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.sweeper import Swept
from tests.support.worlds import PaperWorld

KINDS = (Swept("Pod", "pods", "a=b"), Swept("Job", "jobs"))


def _paths(reach: Reach) -> list[str]:
    paper = PaperWorld()
    made = following.streams(cast("Any", None), paper.intake, reach, KINDS, {"Job": None})
    return [each._path for each in made]


def test_where_the_cluster_is_read_kopf_brings_the_rooms_kinds() -> None:
    assert _paths(Reach()) == ["/api/v1/pods"]


def test_where_workspaces_are_read_each_kind_has_a_stream_in_each_and_none_beyond() -> None:
    assert _paths(Reach(["a", "b"], ("Pod", "Job"))) == [
        "/api/v1/namespaces/a/pods",
        "/api/v1/namespaces/b/pods",
        "/apis/coxswain.dev/v1alpha1/namespaces/a/jobs",
        "/apis/coxswain.dev/v1alpha1/namespaces/b/jobs",
    ]


class Refusing:
    """An API server that answers every list in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def pages(self, *_: Any, **__: Any) -> AsyncIterator[Raw]:
        for error in (self._error,):
            raise error
        yield {}


def _stream(error: Exception, told: list[str] | None) -> Stream:
    refused = None if told is None else lambda found: told.append(found.code)
    hears = Hears(lambda *_: None, lambda _: None, refused)
    return Stream(cast("Any", Refusing(error)), "/api/v1/pods", None, hears)


async def test_a_first_list_that_is_refused_loses_a_workspace_and_stops_no_start() -> None:
    told: list[str] = []
    await following.list_all([_stream(ForbiddenError("no"), told)] * 2)
    assert told == ["forbidden", "forbidden"]


@pytest.mark.parametrize(
    ("error", "told"), [(ForbiddenError("no"), None), (UnavailableError("away"), [])]
)
async def test_where_no_workspace_is_lost_by_itself_a_start_needs_its_lists(
    error: Exception, told: list[str] | None
) -> None:
    with pytest.raises(type(error)):
        await following.list_all([_stream(error, told)])
