"""Calls as an API server counts them itself."""

from collections import Counter

from tests.bench import api_calls

TEXT = """
# TYPE apiserver_request_total counter
apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 3
apiserver_request_total{code="409",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 1
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coxswain.dev",resource="jobs",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 1.2e+01
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="WATCH",version="v1"} 9
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="",scope="",subresource="/healthz",verb="GET",version=""} 7
apiserver_request_duration_seconds_sum{group="",resource="pods",subresource="",verb="POST"} 5
"""  # noqa: E501 - as the server writes it


def test_calls_are_counted_by_verb_and_resource_whatever_came_of_them() -> None:
    assert api_calls.counted(TEXT) == {"POST pods": 4, "PATCH jobs.coxswain.dev/status": 12}


def test_only_what_changes_something_is_a_write() -> None:
    calls = Counter({"GET pods": 5, "LIST pods": 1, "POST pods": 2, "DELETE pods": 1})
    assert api_calls.writes(calls) == 3


def test_what_others_asked_for_is_not_the_controllers() -> None:
    calls = Counter({"POST jobs.batch": 1, "PATCH pods/status": 2, "POST pods": 1, "PATCH pods": 1})
    found = api_calls.of_controller(calls, ["POST jobs.batch"])
    assert found == {"POST pods": 1, "PATCH pods": 1}
