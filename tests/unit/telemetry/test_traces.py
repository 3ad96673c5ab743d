"""Spans: a request stands below its caller's span, by the caller's header."""

from coxswain.telemetry import traces

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_request_goes_on_in_the_trace_of_its_caller() -> None:
    with traces.request({"traceparent": CALLER}, "GET") as span:
        assert span.get_span_context().trace_id == 0x0AF7651916CD43DD8448EB211C80319C
    with traces.request({}, "GET") as span:
        assert not span.get_span_context().is_valid
