"""Every route of our servers stands under /v1; only the page for readers does not."""

import importlib
import inspect
import pkgutil
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web

from coxswain import gateway, sidecar
from coxswain.identity.callers import AgentCaller, PodCaller, UserCaller
from coxswain.rules import repeats
from coxswain.rules.permissions import TABLE, Permission, Scope, Who
from coxswain.rules.repeats import Repeat
from coxswain.web import routes, server

C = TypeVar("C")
NOT_UNDER_V1 = {"/docs", "/{tail}"}


class Nobody:
    """Lets nobody in."""

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        raise NotImplementedError

    async def check(self, request: web.Request) -> None:
        raise NotImplementedError


def holders(package: str, path: list[str]) -> list[object]:
    """What holds routes in a package; routes are read from it, and nothing is called."""
    names = [each.name for each in pkgutil.walk_packages(path, f"{package}.")]
    found: set[type] = {
        each
        for name in names
        if not name.endswith("__main__") and _may_mark(name)
        for each in vars(importlib.import_module(name)).values()
        if isinstance(each, type) and each.__module__ == name
    }
    made: list[object] = [
        object.__new__(each) for each in found if any(map(_is_marked, vars(each).values()))
    ]
    return sorted(made, key=lambda each: type(each).__name__)


def _may_mark(name: str) -> bool:
    """Whether a module names the mark at all; some of the others take seconds to import."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return re.search(rf"\b{routes.route.__name__}\b", Path(spec.origin).read_text()) is not None


def _is_marked(each: object) -> bool:
    return hasattr(each, routes._MARK)


@pytest.mark.parametrize(
    ("package", "known"),
    [(sidecar, "/v1/workspaces/{workspace}/jobs"), (gateway, "/v1/chat/completions")],
    ids=["sidecar", "gateway"],
)
def test_every_route_stands_under_v1(package: object, known: str) -> None:
    name, path = vars(package)["__name__"], list(vars(package)["__path__"])
    app = server.build("all", "all", holders(name, path), Nobody())
    paths = {each.canonical for each in app.router.resources()}
    assert known in paths
    assert {each for each in paths if not each.startswith("/v1/")} == NOT_UNDER_V1


def all_routes() -> list[routes.Route]:
    """Every route of every server."""
    packages = [vars(each) for each in (sidecar, gateway)]
    found = [holders(each["__name__"], list(each["__path__"])) for each in packages]
    return [route for each in found for holder in each for route in routes.of(holder, TABLE)]


def test_the_table_of_permissions_names_each_route_and_no_other() -> None:
    assert {f"{each.method} {each.path}" for each in all_routes()} == set(TABLE)


def test_a_route_takes_the_sort_of_caller_that_the_table_names() -> None:
    kinds = {
        Who.POD: PodCaller,
        Who.RUN: AgentCaller,
        Who.USER: UserCaller,
        Who.PERSON: UserCaller,
        Who.ANYBODY: None,
    }
    for each in all_routes():
        wanted = kinds[each.permission.who]
        assert each.parameters.get("caller") is wanted, (each.method, each.path)
        assert each.options.open is (wanted is None), (each.method, each.path)


def test_of_each_route_that_changes_something_it_is_said_what_a_repeat_does() -> None:
    changing = {f"{each.method} {each.path}" for each in all_routes() if each.may_change}
    assert changing == set(repeats.TABLE)


def test_a_route_that_reads_the_key_of_a_request_is_one_whose_repeats_go_by_it() -> None:
    reads = {
        f"{each.method} {each.path}"
        for each in all_routes()
        if re.search(
            r"keyed_objects\.(key_of|with_key)|\b_id\(call", inspect.getsource(each.handler)
        )
    }
    by_key = (Repeat.BY_KEY, Repeat.ONCE)
    assert reads == {name for name, found in repeats.TABLE.items() if found in by_key}


def test_a_route_that_asks_for_a_role_in_a_workspace_names_one() -> None:
    for each in all_routes():
        is_in_one = each.permission.is_for_users and each.permission.scope is Scope.WORKSPACE
        is_over_all = each.permission.is_for_users and each.permission.scope is not Scope.WORKSPACE
        assert not is_in_one or "{workspace}" in each.path, (each.method, each.path)
        assert not is_over_all or "{workspace}" not in each.path, (each.method, each.path)


def test_a_route_without_a_row_is_not_served() -> None:
    class Careless:
        @routes.route("GET", "/v1/careless")
        async def careless(self, call: routes.Call, caller: UserCaller) -> None:
            """Forget the table."""

    with pytest.raises(TypeError, match=r"rules/permissions\.py"):
        server.build("test", "x", [Careless()], Nobody())
