"""Where a Job stands in a trace: by its annotation, or by itself."""

from uuid import UUID, uuid4

import pytest

from coxswain import names
from coxswain.api import tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_job_from_a_request_is_below_that_request() -> None:
    place = tracing.of_job(str(uuid4()), {names.ANNOTATION_TRACEPARENT: CALLER})
    assert (place.trace, place.parent) == (int(TRACE, 16), 0xB7AD6B7169203331)
    assert place.is_sampled


@pytest.mark.parametrize(
    "given",
    [
        "",
        "no",
        CALLER + "\n",
        CALLER.replace(TRACE, "0" * 32),
        CALLER.replace("b7ad6b7169203331", "0" * 16),
        CALLER.upper(),
        CALLER.replace("00-", "ff-"),
    ],
)
def test_what_is_no_traceparent_names_nobody(given: str) -> None:
    assert tracing.read(given) is None


def test_a_job_that_comes_from_no_request_is_the_root_of_a_trace_of_its_uid() -> None:
    uid = str(uuid4())
    for annotations in ({}, {names.ANNOTATION_TRACEPARENT: "no"}):
        place = tracing.of_job(uid, annotations)
        assert (place.trace, place.parent) == (UUID(uid).int, tracing.NOBODY)


def test_ids_are_the_same_whoever_asks_and_others_for_each_attempt() -> None:
    job = tracing.of_job(str(uuid4()), {})
    one, two = tracing.of_attempt(job, 1), tracing.of_attempt(job, 2)
    assert one == tracing.of_attempt(job, 1)
    assert len({job.span, one.span, two.span, tracing.of_start(job, 1).span}) == 4
    assert one.parent == two.parent == job.span


def test_two_jobs_of_one_request_are_two_spans() -> None:
    annotations = {names.ANNOTATION_TRACEPARENT: CALLER}
    one, two = (tracing.of_job(str(uuid4()), annotations) for _ in range(2))
    assert one.trace == two.trace
    assert one.span != two.span


@pytest.mark.parametrize("flags", ["00", "01"])
def test_whether_a_trace_is_kept_goes_from_the_request_to_the_attempt(flags: str) -> None:
    annotations = {names.ANNOTATION_TRACEPARENT: CALLER[:-2] + flags}
    attempt = tracing.of_attempt(tracing.of_job(str(uuid4()), annotations), 1)
    assert attempt.header.endswith(f"-{flags}")
    read = tracing.read(attempt.header)
    assert read is not None
    assert (read.trace, read.span) == (attempt.trace, attempt.span)
