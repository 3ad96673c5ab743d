"""Around every request: its id, its log line, its metric, and one form for every refusal."""

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from coxswain.errors import CoxswainError
from coxswain.telemetry import logs, metrics, pool_metrics, traces
from coxswain.web import denials, limiting, problems, request_ids
from coxswain.web.routes import CALLER, ROUTE

log = logs.get(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
GONE = 499
# Anybody may send any word as a method; a label takes only those that there are.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"})


def observe(server: str) -> Middleware:
    """The outermost layer of a server; ``server`` is its name in metrics."""
    under_way = pool_metrics.HTTP_UNDER_WAY.labels(server)

    @web.middleware
    async def layer(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        under_way.inc()
        with request_ids.bound(request.headers.get(request_ids.HEADER)) as request_id:
            status, exemplar = GONE, None
            try:
                method = _known(request)
                with traces.request(request.headers, method, request.scheme, request.path) as span:
                    exemplar = traces.exemplar(span)
                    response = await _answered(request, handler)
                    traces.answered(span, method, request.get(ROUTE), response.status)
                status = response.status
                if not response.prepared:
                    response.headers[request_ids.HEADER] = request_id
                    limiting.tell(request, response)
                return response
            finally:
                under_way.dec()
                seconds = time.monotonic() - started
                _measure(server, request, status, seconds, exemplar)
                _tell(request, status, seconds)

    return layer


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except CoxswainError as error:
        _log(request, error)
        await denials.denied(request, error)
        return problems.answer(error)
    except web.HTTPException as error:
        return problems.of_http(error)
    except ConnectionResetError:
        raise
    except Exception:
        # The edge of the process: one request must not end the others.
        log.exception("request crashed", operation=_route(request), caller=_caller(request))
        return problems.internal()


def _log(request: web.Request, error: CoxswainError) -> None:
    """What the caller cannot mend has a line of its own; what nobody expected, its trace."""
    status = problems.status_of(error)
    whose = {"operation": _route(request), "caller": _caller(request)}
    if status == 500:
        log.error("request crashed", **whose, exc_info=error)
    elif status > 500:
        log.warning("request failed", **whose, code=error.code, reason=error.message)


def _measure(
    server: str, request: web.Request, status: int, seconds: float, exemplar: dict[str, str] | None
) -> None:
    metrics.HTTP_REQUEST_SECONDS.labels(
        server=server,
        route=_route(request),
        method=_method(request),
        status=f"{status // 100}xx",
    ).observe(seconds, exemplar)


def _tell(request: web.Request, status: int, seconds: float) -> None:
    log.info(
        "request",
        method=request.method,
        route=_route(request),
        path=request.path,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        caller=_caller(request),
    )


def _caller(request: web.Request) -> str | None:
    caller = request.get(CALLER)
    return str(caller) if caller is not None else None


def _method(request: web.Request) -> str:
    return _known(request) or "other"


def _known(request: web.Request) -> str | None:
    return request.method if request.method in METHODS else None


def _route(request: web.Request) -> str:
    return str(request.get(ROUTE, "none"))
