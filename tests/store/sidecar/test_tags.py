"""Every route that reads one thing tags its answer; every change of what has a version can go by it."""

from typing import Any

import pytest

from tests.store.sidecar.test_document import World, world
from tests.support.sidecar_api import Api

__all__ = ["world"]

SINGLE = "{name}", "{delivery}", "{hash}", "{artifact}"
# Neither is one thing: output that grows, and what goes on.
FLOWS = {"/log", "/stream"}


def singles(document: dict[str, Any]) -> list[str]:
    """Paths of what is read as one thing."""
    return [
        path
        for path, operations in document["paths"].items()
        if "get" in operations
        and any(part in path for part in SINGLE)
        and not any(path.endswith(flow) for flow in FLOWS)
    ]


async def test_what_is_read_as_one_thing_has_a_tag_and_is_304_while_it_is_the_same(
    world: World,
) -> None:
    found = singles(world.document)
    assert len(found) > 8
    for path in found:
        url = path.format(**world.known | {"name": "noop" if "job-types" in path else "first"})
        async with world.api.user.get(url) as answer:
            if answer.status == 404:
                assert path.endswith("/approval"), path
                continue
            assert answer.status == 200, (path, await answer.text())
            tag = answer.headers["ETag"]
        async with world.api.user.get(url, headers={"If-None-Match": tag}) as answer:
            assert (answer.status, answer.headers["ETag"]) == (304, tag), path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jobs/first/cancel", {}),
        ("jobs/first/suspend", {}),
        ("jobs/first/resume", {}),
        ("jobs/first/review", {"decision": "retry", "reason": "seen"}),
        ("jobs/first/rerun", {}),
        ("schedules/first/suspend", {}),
        ("schedules/first/resume", {}),
        ("schedules/first/trigger", {}),
        (
            "schedules/first/backfill",
            {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:05:00Z"},
        ),
    ],
)
async def test_a_change_by_an_old_version_is_412_and_nothing_is_changed(
    world: World, path: str, body: dict[str, Any]
) -> None:
    before = dict(world.api.cluster.objects)
    status, problem = await _post(world.api, path, body, '"1"')
    assert (status, problem["code"]) == (412, "precondition_failed")
    assert world.api.cluster.objects == before


async def test_a_change_of_what_has_no_version_refuses_the_condition(world: World) -> None:
    status, problem = await _post(world.api, "leases/first/acquire", {}, '"1"')
    assert (status, problem["field"]) == (422, "header.If-Match")


async def _post(
    api: Api, path: str, body: dict[str, Any], version: str
) -> tuple[int, dict[str, Any]]:
    url = f"/v1/workspaces/team/{path}"
    async with api.user.post(url, json=body, headers={"If-Match": version}) as answer:
        return answer.status, await answer.json(content_type=None)
