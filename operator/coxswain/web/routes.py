"""Routes from annotations: what a handler reads, who may call it, what it answers.

call      the request itself, always first
caller    the type of caller that may come; only an ``open`` route has none
path      a model of the variable parts of the path
query     a model of the query parameters; without one, any is refused
body      a model of the JSON body; without one, any is refused unless ``raw``
return    a Model, Answer[Model], or a response of the HTTP library
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Generic, Protocol, TypeVar, Union, get_args, get_origin

from aiohttp import web

from coxswain.api.meta import Model
from coxswain.errors import ForbiddenError, NotFoundError, UserError
from coxswain.rules import repeats
from coxswain.rules.permissions import Permission
from coxswain.rules.repeats import Repeat
from coxswain.web import auditing, conditional, limiting, reading
from coxswain.web.auditing import Act, Kept

M = TypeVar("M", bound=Model)
C = TypeVar("C")
H = TypeVar("H", bound=Callable[..., Awaitable[object]])
CALLER = auditing.CALLER
ROUTE = auditing.ROUTE
RIGHTS_CHANGED = "rights_changed"
_MARK = "__coxswain_route__"


@dataclass(frozen=True)
class Call:
    """A request on its way through a handler."""

    request: web.Request

    def header(self, name: str) -> str | None:
        """A header of the request."""
        return self.request.headers.get(name)


@dataclass(frozen=True)
class Answer(Generic[M]):
    """A model with another status than 200, or with headers."""

    body: M
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Gate(Protocol):
    """Finds out who is calling."""

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        """The caller, if it is of this kind and may. Raises UnauthenticatedError or ForbiddenError."""
        ...

    async def check(self, request: web.Request) -> object:
        """Whoever is calling. Raises UnauthenticatedError unless it is anybody we know."""
        ...


@dataclass(frozen=True)
class Again:
    """Finds the caller of a request again, by the same token: for answers that go on for long."""

    gate: Gate
    request: web.Request
    kind: type[object]
    permission: Permission
    caller: object

    async def check(self) -> None:
        """Raise UnauthenticatedError or ForbiddenError unless it still is who it was, with the same rights."""
        now = await self.gate.admit(self.request, self.kind, self.permission)
        if now != self.caller:
            raise ForbiddenError("your rights have changed; ask again", code=RIGHTS_CHANGED)


AGAIN: web.RequestKey[Again] = web.RequestKey("again", Again)


@dataclass(frozen=True)
class Options:
    """What annotations cannot say."""

    open: bool = False
    status: int = 200
    also: tuple[int, ...] = ()
    """Other statuses of a good answer."""
    limit: int = reading.BODY_BYTES
    produces: str = "application/json"
    """The media type of an answer that is no model, or beside it of one that goes on live."""
    tagged: bool = False
    """Whether an answer that is no model has an ETag of the handler's."""
    errors: tuple[int, ...] = ()
    kept: Kept = Kept.AROUND
    """How it comes into the audit log, if its method may change something."""


@dataclass(frozen=True)
class Route:
    """One route, as registered."""

    method: str
    path: str
    summary: str
    options: Options
    permission: Permission
    handler: Callable[..., Awaitable[object]]
    parameters: dict[str, Any]
    answer: type[Model] | None

    @property
    def may_change(self) -> bool:
        """Whether a request may change something, by its method."""
        return self.method not in auditing.READING

    @property
    def repeats(self) -> Repeat | None:
        """What the same request does when it comes again; None: it changes nothing at all."""
        return repeats.TABLE.get(f"{self.method} {self.path}")

    @property
    def is_tagged(self) -> bool:
        """Whether its good answers have an ETag, so that If-None-Match can save one."""
        return self.method == "GET" and (self.answer is not None or self.options.tagged)

    @property
    def goes_by_version(self) -> bool:
        """Whether it may depend on the version that the caller has seen: If-Match."""
        return 412 in self.options.errors

    @property
    def takes_content(self) -> bool:
        """Whether the handler wants the body as bytes."""
        return "content" in self.parameters

    def model(self, name: str) -> type[Model] | None:
        """The model of path, query or body, if the handler asks for it."""
        found: type[Model] | None = self.parameters.get(name)
        return found


def route(method: str, path: str, **options: Any) -> Callable[[H], H]:
    """Mark a method as the handler of a route; see Options for what can be given."""

    def mark(handler: H) -> H:
        setattr(handler, _MARK, (method, path, Options(**options)))
        return handler

    return mark


def of(holder: object, permissions: Mapping[str, Permission]) -> list[Route]:
    """The routes of an object, in the order in which they stand in its class."""
    marked = [each for each in vars(type(holder)).values() if hasattr(each, _MARK)]
    return [_route(getattr(holder, each.__name__), permissions) for each in marked]


def add(app: web.Application, routes: Sequence[Route], gate: Gate) -> None:
    """Register routes; whatever else is asked for is answered 404, to those whom we know."""
    for each in routes:
        app.router.add_route(each.method, each.path, _handler(each, gate))

    async def unknown(request: web.Request) -> web.StreamResponse:
        request[ROUTE] = auditing.NO_ROUTE
        limiting.count(request, await gate.check(request))
        raise NotFoundError(f"there is no {request.method} {request.path}", code="route_unknown")

    app.router.add_route("*", "/{tail:.*}", unknown)


def _handler(route: Route, gate: Gate) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        request[ROUTE] = route.path
        request[auditing.ACTION] = route.handler.__name__
        given = await _arguments(route, gate, request)

        async def work() -> object:
            return await route.handler(Call(request), **given)

        if route.may_change and route.options.kept is not Kept.ELSEWHERE:
            request[auditing.KEPT] = True
            recorder = auditing.recorder(request)
            return _response(await recorder.keep(_act(route, given), work), route)
        response = _response(await work(), route)
        if route.is_tagged and isinstance(response, web.Response) and response.status == 200:
            return conditional.answered(request, response)
        return response

    return handle


def _act(route: Route, given: dict[str, object]) -> Act:
    return Act(
        action=route.handler.__name__,
        path=route.path,
        kept=route.options.kept,
        caller=given.get("caller"),
        given=given,
    )


async def _arguments(route: Route, gate: Gate, request: web.Request) -> dict[str, object]:
    given: dict[str, object] = {}
    if "caller" in route.parameters:
        kind, permission = route.parameters["caller"], route.permission
        try:
            caller = await gate.admit(request, kind, permission)
        except ForbiddenError:
            limiting.count(request, request.get(CALLER))
            raise
        given["caller"] = request[CALLER] = caller
        request[AGAIN] = Again(gate, request, kind, permission, caller)
        limiting.count(request, caller)
    if route.may_change and not route.goes_by_version:
        conditional.refuse_unheard(request)
    if (path := route.model("path")) is not None:
        given["path"] = reading.path(request, path)
    if (query := route.model("query")) is not None:
        given["query"] = reading.query(request, query)
    elif request.query:
        raise UserError("this parameter is not known", field=f"query.{next(iter(request.query))}")
    if (body := route.model("body")) is not None:
        given["body"] = await reading.body(request, body, route.options.limit)
    elif route.takes_content:
        given["content"] = await reading.raw(request, route.options.limit)
    else:
        await reading.nothing(request)
    return given


def _response(answer: object, route: Route) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    if isinstance(answer, Answer):
        return _json(answer.body, answer.status, answer.headers)
    if isinstance(answer, Model):
        return _json(answer, route.options.status, {})
    return web.Response(status=204)


def _json(body: Model, status: int, headers: dict[str, str]) -> web.Response:
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    return web.Response(status=status, text=text, content_type="application/json", headers=headers)


def _route(
    handler: Callable[..., Awaitable[object]], permissions: Mapping[str, Permission]
) -> Route:
    method, path, options = getattr(handler, _MARK)
    hints = inspect.get_annotations(handler.__func__, eval_str=True)  # type: ignore[attr-defined]  # a bound method
    parameters = {name: kind for name, kind in hints.items() if name not in {"return", "call"}}
    if ("caller" in parameters) == options.open:
        raise TypeError(f"{method} {path}: name the caller that may come, or say that it is open")
    unknown = set(parameters) - {"caller", "path", "query", "body", "content"}
    if unknown:
        raise TypeError(f"{method} {path}: {unknown} is nothing that a request has")
    permission = permissions.get(f"{method} {path}")
    if permission is None:
        raise TypeError(f"{method} {path}: say in rules/permissions.py who may call it")
    return Route(
        method=method,
        path=path,
        summary=inspect.getdoc(handler) or "",
        options=options,
        permission=permission,
        handler=handler,
        parameters=parameters,
        answer=_model(hints.get("return")),
    )


def _model(kind: object) -> type[Model] | None:
    # With a generic type in it a union is of the other sort.
    if get_origin(kind) in (Union, UnionType):
        return next((found for each in get_args(kind) if (found := _model(each))), None)
    inner = get_args(kind)[0] if get_origin(kind) is Answer else kind
    return inner if isinstance(inner, type) and issubclass(inner, Model) else None
