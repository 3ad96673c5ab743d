"""Where a Job stands in a trace: by its annotation, or by itself."""

from uuid import UUID, uuid4

import pytest

from coxswain import names
from coxswain.api import tracing

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_job_from_a_request_is_below_that_request() -> None:
    metadata = {"uid": str(uuid4()), "annotations": {names.ANNOTATION_TRACEPARENT: CALLER}}
    place = tracing.of_job(metadata)
    assert place.trace == 0x0AF7651916CD43DD8448EB211C80319C
    assert place.parent == 0xB7AD6B7169203331


@pytest.mark.parametrize(
    "given", [None, "", "no", CALLER.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)]
)
def test_any_other_is_the_root_of_a_trace_of_its_uid(given: str | None) -> None:
    uid = str(uuid4())
    annotations = {} if given is None else {names.ANNOTATION_TRACEPARENT: given}
    place = tracing.of_job({"uid": uid, "annotations": annotations})
    assert (place.trace, place.parent) == (UUID(uid).int, tracing.NOBODY)


def test_ids_are_the_same_whoever_asks_and_others_for_each_attempt() -> None:
    job = tracing.of_job({"uid": str(uuid4())})
    one, two = tracing.of_attempt(job, 1), tracing.of_attempt(job, 2)
    assert one == tracing.of_attempt(job, 1)
    assert len({job.span, one.span, two.span}) == 3
    assert one.parent == two.parent == job.span


def test_a_header_names_the_span_that_it_was_made_of() -> None:
    place = tracing.of_job({"uid": str(uuid4())})
    read = tracing.read(place.header)
    assert read is not None
    assert (read.trace, read.span) == (place.trace, place.span)
