"""A workspace in which the samples may run: with their RuntimeClass, and an operator that lets their image be."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from coxswain.errors import ConflictError
from coxswain.kube import paths
from coxswain.kube.client import Client
from tests.support.leader import Operator
from tests.support.transitions import samples
from tests.support.transitions.cluster import Crowd
from tests.support.workspace import Workspace


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, Any]:
    """The image of the samples is allowed; who is as busy as this keeps its lease as in production."""
    return {"allowed_images": json.dumps(["registry.example/"]), "lease_seconds": 15}


@pytest_asyncio.fixture
async def crowd(client: Client, workspace: Workspace, operator: Operator) -> AsyncIterator[Crowd]:
    """A workspace whose objects are changed at once, with an operator that leads."""
    body = {"metadata": {"name": samples.RUNTIME_CLASS}, "handler": "none"}
    with suppress(ConflictError):
        await client.create(paths.collection("runtimeclasses"), body)
    yield Crowd(workspace)
    path = paths.of("runtimeclasses", None, samples.RUNTIME_CLASS)
    found = await client.get(path)
    await client.delete(path, uid=found["metadata"]["uid"])
