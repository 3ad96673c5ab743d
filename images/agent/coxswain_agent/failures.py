"""Why a model call failed, as the reason of the run's result. The gateway's code is passed on as it is."""

from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError

from coxswain.api.contract import ProviderError
from coxswain.errors import TransientError
from coxswain_agent import text
from coxswain_agent.errors import WorkError

MESSAGE_BYTES = 2000
GATEWAY_AWAY = "ModelGatewayUnavailable"

TRANSIENT = frozenset(
    {
        ProviderError.RATE_LIMITED,
        ProviderError.TIMEOUT,
        ProviderError.UNAVAILABLE,
        ProviderError.STREAM_CUT,
        ProviderError.BAD_RESPONSE,
    }
)


def is_passing(error: ModelAPIError) -> bool:
    """Whether it is the way to the gateway that failed, not the provider behind it."""
    if _provider_code(error) is not None:
        return False
    if isinstance(error, ModelHTTPError):
        return error.status_code == 429 or error.status_code >= 500
    return isinstance(error, ModelConnectionError)


def of_model_call(error: ModelAPIError | TransientError) -> WorkError:
    """The failure of the run that follows from a failed model call."""
    if isinstance(error, TransientError):
        return WorkError(GATEWAY_AWAY, error.message, transient=True)
    code = _provider_code(error)
    if code is None:
        return WorkError("ModelCallFailed", text.shorten(_message(error), MESSAGE_BYTES))
    message = text.shorten(_message(error), MESSAGE_BYTES)
    return WorkError(code.value, message, transient=code in TRANSIENT)


def _provider_code(error: ModelAPIError) -> ProviderError | None:
    code = error.provider_error_code
    return ProviderError(code) if code in list(ProviderError) else None


def _message(error: ModelAPIError) -> str:
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])
    return str(error)
