"""An API server in memory, as far as the sidecar API asks one: our kinds, types, token keys."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from typing_extensions import override

from coxswain.errors import (
    ConflictError,
    CoxswainError,
    NotFoundError,
    UnavailableError,
    UserError,
)
from tests.support.tokens import SigningCluster

Body = dict[str, Any]


class FakeCluster(SigningCluster):
    """Keeps objects by path. ``refusal`` is raised by the next call; ``lost`` after the next create.

    After the next read ``replaced`` is another object of the same name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, Body] = {}
        self.version = 100
        self.refusal: CoxswainError | None = None
        self.lost: CoxswainError | None = None
        self.replaced: str | None = None

    @override
    async def get(self, path: str, params: dict[str, str] | None = None) -> Body:
        if "/namespaces/" not in path:
            return {} if path == "/version" and not self.away else await super().get(path, params)
        self._answer()
        if path.endswith("/configmaps"):
            return {"items": [found for at, found in self.objects.items() if f"{path}/" in at]}
        if path not in self.objects:
            raise NotFoundError(f"GET {path}: 404 not found")
        found = self.objects[path]
        if path == self.replaced:
            self.replaced = None
            self.objects[path] = {**found, "metadata": {**found["metadata"], "uid": str(uuid4())}}
        return found

    async def create(self, path: str, body: Body, params: dict[str, str] | None = None) -> Body:
        """Make an object as the API server does."""
        self._answer()
        given = body["metadata"]
        name = given.get("name") or f"{given['generateName']}{uuid4().hex[:5]}"
        if f"{path}/{name}" in self.objects:
            raise ConflictError(f"POST {path}: 409 exists", code="already_exists")
        metadata = {
            **given,
            "name": name,
            "namespace": path.split("/namespaces/")[1].split("/")[0],
            "uid": str(uuid4()),
            "creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generation": 1,
            "resourceVersion": self._next(),
        }
        self.objects[f"{path}/{name}"] = {**body, "metadata": metadata}
        lost, self.lost = self.lost, None
        if lost is not None:
            raise lost
        return self.objects[f"{path}/{name}"]

    async def patch(self, path: str, body: Body) -> Body:
        """Merge metadata, with the precondition that it may carry."""
        self._answer()
        standing = await self.get(path)
        given = body.get("metadata", {})
        wanted = given.get("resourceVersion")
        if wanted not in {None, standing["metadata"]["resourceVersion"]}:
            raise ConflictError(f"PATCH {path}: 409 stale")
        if given.get("uid") not in {None, standing["metadata"]["uid"]}:
            raise UserError(f"PATCH {path}: 422 field is immutable", field="metadata.uid")
        merged = {
            **standing["metadata"].get("annotations", {}),
            **given.get("annotations", {}),
        }
        annotations = {name: value for name, value in merged.items() if value is not None}
        metadata = {
            **standing["metadata"],
            "annotations": annotations,
            "resourceVersion": self._next(),
        }
        self.objects[path] = {**standing, "metadata": metadata}
        if "data" in body:
            data = {**standing.get("data", {}), **body["data"]}
            kept = {key: text for key, text in data.items() if text is not None}
            self.objects[path]["data"] = kept
        return self.objects[path]

    def _answer(self) -> None:
        if self.away:
            raise UnavailableError("the API server does not answer")
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise refusal

    def _next(self) -> str:
        self.version += 1
        return str(self.version)
