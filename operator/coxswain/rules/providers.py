"""Rules about model providers: what a failure is called, what may be sent where, what may stand together.

``docs/providers.md`` is the page for people.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute, ProviderError

DEFAULT = "default"
DEFAULT_URLS = {
    Provider.OPENAI: "https://api.openai.com/v1",
    Provider.ANTHROPIC: "https://api.anthropic.com",
}
_PORTS = {"http": 80, "https": 443}


class Fault(StrEnum):
    """Where a call to a provider went wrong."""

    ANSWERED = "answered"
    """The provider answered with an error."""
    CONNECT = "connect"
    """No connection came about."""
    TIMEOUT = "timeout"
    CUT = "cut"
    """The connection ended in the middle of an answer."""
    GARBAGE = "garbage"
    """What came is no answer in the provider's format."""
    ADDRESS = "address"
    """The host has an address that the installation does not allow."""


@dataclass(frozen=True)
class Failure:
    """What is known of a failed call; ``codes`` and ``message`` are the provider's own words."""

    fault: Fault
    status: int | None = None
    codes: tuple[str, ...] = ()
    message: str = ""


HTTP_STATUS = {
    ProviderError.AUTHENTICATION: 424,
    ProviderError.PAYMENT: 402,
    ProviderError.RATE_LIMITED: 429,
    ProviderError.BAD_REQUEST: 400,
    ProviderError.MODEL_NOT_FOUND: 404,
    ProviderError.CONTEXT_LENGTH: 400,
    ProviderError.CONTENT_FILTER: 400,
    ProviderError.TIMEOUT: 504,
    ProviderError.UNAVAILABLE: 502,
    ProviderError.STREAM_CUT: 502,
    ProviderError.BAD_RESPONSE: 502,
    ProviderError.CREDENTIALS_MISSING: 424,
    ProviderError.NOT_ALLOWED: 403,
}

MESSAGES = {
    ProviderError.AUTHENTICATION: "the provider refuses the key of the model's credentials",
    ProviderError.PAYMENT: "the provider wants to be paid first: no credit or quota is left",
    ProviderError.RATE_LIMITED: "the provider takes no more calls for now",
    ProviderError.BAD_REQUEST: "the provider refuses the request",
    ProviderError.MODEL_NOT_FOUND: "the provider does not know the model",
    ProviderError.CONTEXT_LENGTH: "the request is longer than the model's context",
    ProviderError.CONTENT_FILTER: "the provider's content filter refuses the request",
    ProviderError.TIMEOUT: "the provider did not answer in time",
    ProviderError.UNAVAILABLE: "the provider cannot be reached or fails",
    ProviderError.STREAM_CUT: "the provider's answer broke off in the middle",
    ProviderError.BAD_RESPONSE: "what the provider answered is not in its format",
    ProviderError.CREDENTIALS_MISSING: "the model's credentials are not there",
    ProviderError.NOT_ALLOWED: "the installation does not allow this call",
}

# Only these say something about the request that its author can use; no other words of a provider
# are passed on, since they may repeat the key.
_QUOTED = (ProviderError.BAD_REQUEST, ProviderError.CONTEXT_LENGTH, ProviderError.CONTENT_FILTER)
_QUOTE_CHARACTERS = 500

_BY_FAULT = {
    Fault.CONNECT: ProviderError.UNAVAILABLE,
    Fault.TIMEOUT: ProviderError.TIMEOUT,
    Fault.CUT: ProviderError.STREAM_CUT,
    Fault.GARBAGE: ProviderError.BAD_RESPONSE,
    Fault.ADDRESS: ProviderError.NOT_ALLOWED,
}
_BY_STATUS = {
    401: ProviderError.AUTHENTICATION,
    402: ProviderError.PAYMENT,
    403: ProviderError.AUTHENTICATION,
    404: ProviderError.MODEL_NOT_FOUND,
    408: ProviderError.TIMEOUT,
    413: ProviderError.CONTEXT_LENGTH,
    429: ProviderError.RATE_LIMITED,
    504: ProviderError.TIMEOUT,
}
_BY_CODE = {
    "insufficient_quota": ProviderError.PAYMENT,
    "billing_error": ProviderError.PAYMENT,
    "billing_hard_limit_reached": ProviderError.PAYMENT,
    "context_length_exceeded": ProviderError.CONTEXT_LENGTH,
    "request_too_large": ProviderError.CONTEXT_LENGTH,
    "content_filter": ProviderError.CONTENT_FILTER,
    "content_policy_violation": ProviderError.CONTENT_FILTER,
    "invalid_api_key": ProviderError.AUTHENTICATION,
    "authentication_error": ProviderError.AUTHENTICATION,
    "permission_error": ProviderError.AUTHENTICATION,
    "not_found_error": ProviderError.MODEL_NOT_FOUND,
    "model_not_found": ProviderError.MODEL_NOT_FOUND,
    "rate_limit_error": ProviderError.RATE_LIMITED,
    "rate_limit_exceeded": ProviderError.RATE_LIMITED,
    "timeout_error": ProviderError.TIMEOUT,
    "overloaded_error": ProviderError.UNAVAILABLE,
    "api_error": ProviderError.UNAVAILABLE,
    "server_error": ProviderError.UNAVAILABLE,
}
_BY_WORDS = (
    (
        re.compile(r"context (length|window)|prompt is too long|maximum.*tokens", re.I),
        ProviderError.CONTEXT_LENGTH,
    ),
    (re.compile(r"credit balance|billing", re.I), ProviderError.PAYMENT),
    (re.compile(r"content.{0,20}(filter|policy)", re.I), ProviderError.CONTENT_FILTER),
)


def classify(failure: Failure) -> ProviderError:
    """The one name of a failure: by the provider's own code, then by its status, then by its words."""
    if failure.fault is not Fault.ANSWERED:
        return _BY_FAULT[failure.fault]
    for known in failure.codes:
        if known in _BY_CODE:
            return _BY_CODE[known]
    status = failure.status or 0
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ProviderError.UNAVAILABLE
    if not 400 <= status < 500:
        return ProviderError.BAD_RESPONSE
    for words, code in _BY_WORDS:
        if words.search(failure.message):
            return code
    return ProviderError.BAD_REQUEST


def explain(code: ProviderError, failure: Failure, secret: str | None) -> str:
    """What the caller reads: our sentence, and the provider's words where they help."""
    if code not in _QUOTED or not failure.message:
        return MESSAGES[code]
    return f"{MESSAGES[code]}: {redact(failure.message[:_QUOTE_CHARACTERS], secret)}"


_LOOKS_SECRET = re.compile(r"\b(?:sk|pk|key|api|Bearer)[-_ ][-_*.A-Za-z0-9]{8,}")
_SHARED_CHARACTERS = 6


def redact(text: str, secret: str | None) -> str:
    """Take a key out of a text: whole, in part (words that share a run of it), or what looks like one."""
    words = text.replace(secret, "[key]").split(" ") if secret else text.split(" ")
    kept = [("[key]" if secret and _shares(word, secret) else word) for word in words]
    return _LOOKS_SECRET.sub("[key]", " ".join(kept))


def _shares(word: str, secret: str) -> bool:
    runs = range(len(secret) - _SHARED_CHARACTERS + 1)
    return any(secret[start : start + _SHARED_CHARACTERS] in word for start in runs)


def pick(models: Sequence[ModelRoute], name: str) -> ModelRoute | None:
    """The model of that alias; ``default`` is the first one, unless an alias is called so."""
    for route in models:
        if route.alias == name:
            return route
    return models[0] if models and name == DEFAULT else None


def demo_beside_real(providers: Sequence[Provider]) -> bool:
    """The demo provider must never be mistaken for a model, so it stands alone."""
    return Provider.DEMO in providers and any(each is not Provider.DEMO for each in providers)


def canonical(url: str) -> str:
    """One spelling for one place: lower case host, no default port, no slash at the end."""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower()
    shown = f"[{host}]" if ":" in host else host
    usual = _PORTS.get(parts.scheme)
    # Port 0 is a port like any other: nobody's, and not the usual one.
    port = usual if parts.port is None else parts.port
    tail = "" if port == usual else f":{port}"
    return f"{parts.scheme}://{shown}{tail}{parts.path.rstrip('/')}"
