"""No body, however odd, is the server's fault."""

import json
from typing import Any
from uuid import uuid4

import pytest

from coxswain.store import uuid7
from tests.support.rows import event
from tests.support.sidecar_api import Api

JSON = {"Content-Type": "application/json"}
HUGE = "9" * 4000
ODD: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "number": b"1e400",
    "list": b"[[]]",
    "cut": b'{"events": [',
    "no utf-8": b'{"run": "\xff\xfe"}',
    "deep": b'{"run": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "half a pair": b'{"run": "\\ud800"}',
    "long": b'{"run": "' + b"x" * 500_000 + b'"}',
    "twice": b'{"run": "a", "run": "b"}',
    "control": b'{"run": "\x01"}',
}
ODD_DETAILS: dict[str, str] = {
    "nul": '{"text": "\\u0000"}',
    "nul in a name": '{"a\\u0000b": 1}',
    "half a pair": '{"text": "\\ud800"}',
    "not a number": '{"x": NaN}',
    "infinite": '{"x": 1e999}',
    "very small": '{"x": 1e-999}',
    "huge": f'{{"x": {HUGE}}}',
    "deep": '{"x": ' + "[" * 150 + "]" * 150 + "}",
    "twice": '{"x": 1, "x": 2}',
    "no object": "[1]",
}


async def send(api: Api, path: str, body: bytes, headers: dict[str, str]) -> int:
    async with api.anybody.post(path, data=body, headers=headers | JSON) as answer:
        if answer.status >= 400:
            problem = await answer.json(content_type="application/problem+json")
            assert problem["requestId"]
        return answer.status


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
async def test_an_odd_body_is_the_callers_fault_on_every_route(api: Api, body: bytes) -> None:
    _, pod, run = await api.claimed()
    user = dict(api.user.headers)
    routes: list[tuple[str, dict[str, str]]] = [
        ("/v1/run/claim", api.as_pod(pod)),
        ("/v1/run/events", run),
        ("/v1/run/acts", run),
        ("/v1/run/result", run),
        ("/v1/events", user),
        ("/v1/workspaces/team/jobs", user),
    ]
    for path, headers in routes:
        assert await send(api, path, body, headers) in {400, 413, 422}, path


@pytest.mark.parametrize("details", ODD_DETAILS.values(), ids=ODD_DETAILS)
async def test_odd_details_are_kept_or_refused_and_can_be_read_again(
    api: Api, details: str
) -> None:
    text = f'{{"events": [{{"id": "{event().id}", "type": "user.odd", "details": {details}}}]}}'
    status = await send(api, "/v1/events", text.encode(), dict(api.user.headers))
    assert status in {200, 400, 422}
    async with api.user.get("/v1/events?after=0") as answer:
        assert answer.status == 200
        assert len(json.loads(await answer.text())["events"]) == (status == 200)


async def test_ids_of_other_sorts_are_refused(api: Api) -> None:
    wrong: list[Any] = [str(uuid4()), str(uuid7.derived(uuid7.time_of(event().id), "x")), 7, ""]
    for each in wrong:
        body = json.dumps({"events": [{"id": each, "type": "user.x"}]}).encode()
        assert await send(api, "/v1/events", body, dict(api.user.headers)) == 422
