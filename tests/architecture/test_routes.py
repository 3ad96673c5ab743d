"""Every route of our servers stands under /v1; only the page for readers does not."""

import importlib
import pkgutil
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web

from coxswain import gateway, sidecar
from coxswain.web import routes, server

C = TypeVar("C")
NOT_UNDER_V1 = {"/docs", "/{tail}"}


class Nobody:
    """Lets nobody in."""

    async def admit(self, request: web.Request, kind: type[C]) -> C:
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
