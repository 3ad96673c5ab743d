"""What the door answers. A refusal says why in its body, and in the one line that every client shows."""

from http import HTTPStatus

from coxswain.errors import CoxswainError, TransientError, UnauthenticatedError
from coxswain.gateway.egress.asking import BAD_REQUEST, BAD_TARGET, NOT_CONNECT
from coxswain.gateway.egress.relay import USED_UP
from coxswain.gateway.outbound.dialing import NO_ADDRESS, UNREACHABLE
from coxswain.identity.runs_of_pods import CLOSED, UNCLAIMED
from coxswain.web import problems, request_ids
from coxswain.web.problems import Problem

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
TOO_MANY = "too_many_connections"
# Alerts of TLS: unrecognized_name, access_denied and internal_error, all fatal.
_NAME_ALERT = bytes.fromhex("15030100020270")
_DENIED_ALERT = bytes.fromhex("15030100020231")
_ERROR_ALERT = bytes.fromhex("15030100020250")
INTERNAL = 500
_BY_CODE = {
    BAD_REQUEST: 400,
    BAD_TARGET: 400,
    NOT_CONNECT: 405,
    CLOSED: 403,
    UNCLAIMED: 403,
    TOO_MANY: 429,
    NO_ADDRESS: 502,
    UNREACHABLE: 502,
}
_LINE_CHARACTERS = 200


def status_of(error: CoxswainError) -> int:
    """The HTTP status of a refusal."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, UnauthenticatedError):
        return HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
    return problems.status_of(error)


def refusal(error: CoxswainError) -> bytes:
    """The whole answer; the connection ends with it."""
    status = status_of(error)
    message = error.message if status != INTERNAL else "this is our fault; the log has the id"
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=error.code,
        message=message,
        request_id=request_ids.current(),
    )
    body = problem.model_dump_json(by_alias=True, exclude_none=True).encode()
    headers = {
        "Content-Type": problems.CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **request_ids.outgoing(),
        **_more(error, status),
    }
    lines = [f"HTTP/1.1 {status} {_line(message)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def alert(error: CoxswainError) -> bytes:
    """The only words that a client understands once its tunnel stands."""
    if error.code == USED_UP:
        return _DENIED_ALERT
    return _ERROR_ALERT if isinstance(error, TransientError) else _NAME_ALERT


def _more(error: CoxswainError, status: int) -> dict[str, str]:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return {"Proxy-Authenticate": 'Basic realm="coxswain"'}
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return {"Allow": "CONNECT"}
    if isinstance(error, TransientError):
        return {"Retry-After": str(int(problems.RETRY_SECONDS))}
    return {}


def _line(message: str) -> str:
    shown = "".join(each if each.isascii() and each.isprintable() else " " for each in message)
    return shown[:_LINE_CHARACTERS]
