"""A model call as a span, by OpenTelemetry's conventions for GenAI. What was said is in no trace."""

from datetime import datetime, timedelta

from opentelemetry.trace import SpanKind

from coxswain.api.tracing import Place
from coxswain.store.usage import Call
from coxswain.telemetry.traces import Ended

OK = "ok"
OPERATION = "chat"


def of(call: Call, caller: Place, began: datetime, first_seconds: float | None) -> Ended:
    """The call below the request that asked for it; ``first_seconds``: until its first piece came."""
    about: dict[str, str | int | float | bool] = {
        "gen_ai.operation.name": OPERATION,
        "gen_ai.provider.name": call.provider,
        "gen_ai.request.model": call.model,
    }
    if call.streamed:
        about["gen_ai.request.stream"] = True
    if first_seconds is not None:
        about["gen_ai.response.time_to_first_chunk"] = first_seconds
    # A provider that does not count is no provider of nothing.
    if call.input_tokens or call.output_tokens:
        about["gen_ai.usage.input_tokens"] = call.input_tokens
        about["gen_ai.usage.output_tokens"] = call.output_tokens
    return Ended(
        f"{OPERATION} {call.model}",
        caller.child(OPERATION, call.id),
        began,
        began + timedelta(milliseconds=call.milliseconds),
        about,
        "" if call.outcome == OK else call.outcome,
        SpanKind.CLIENT,
    )
