"""What a library's exception says about a failed call, as a Failure of the rules."""

import asyncio
from collections.abc import Iterator

import httpcore
import httpx
from any_llm.exceptions import AnyLLMError, InvalidRequestError, UnsupportedParameterError

from coxswain.gateway.outbound.dialing import AddressRefusedError
from coxswain.rules.providers import Failure, Fault

_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
)
_TIMED_OUT = (httpx.TimeoutException, httpcore.TimeoutException, asyncio.TimeoutError)
_BROKEN = (
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    httpcore.NetworkError,
    httpcore.RemoteProtocolError,
)
_NOTHING_SENT = "without sending a response"


def of(error: BaseException) -> Failure:
    """Look through the whole chain of causes for what went wrong first."""
    chain = list(_chain(error))
    fault = _fault_of_connection(chain)
    if fault is not None:
        return Failure(fault)
    outer = chain[0]
    if isinstance(outer, UnsupportedParameterError):
        return Failure(Fault.ANSWERED, 400, message=outer.message)
    if isinstance(outer, AnyLLMError):
        return _answered(outer)
    return Failure(Fault.GARBAGE)


def _fault_of_connection(chain: list[BaseException]) -> Fault | None:
    for kinds, fault in (
        ((AddressRefusedError,), Fault.ADDRESS),
        (_NO_CONNECTION, Fault.CONNECT),
        (_TIMED_OUT, Fault.TIMEOUT),
    ):
        if any(isinstance(each, kinds) for each in chain):
            return fault
    broken = [each for each in chain if isinstance(each, _BROKEN)]
    if not broken:
        return None
    return Fault.CONNECT if any(_NOTHING_SENT in str(each) for each in broken) else Fault.CUT


def _answered(error: AnyLLMError) -> Failure:
    codes = tuple(code for code in (error.code, error.error_type) if code)
    if error.status_code is None and not codes:
        if isinstance(error, InvalidRequestError):
            return Failure(Fault.ANSWERED, 400, message=error.message)
        return Failure(Fault.GARBAGE)
    if error.status_code is not None and error.status_code < 300 and not codes:
        return Failure(Fault.GARBAGE)
    return Failure(Fault.ANSWERED, error.status_code, codes, _words(error))


def _words(error: AnyLLMError) -> str:
    body = getattr(error.original_exception, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    return message if isinstance(message, str) else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__context__, each.__cause__, getattr(each, "original_exception", None)]
