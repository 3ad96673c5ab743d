"""What a run posts against the contract of its type, and how people read it whole."""

import json
from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.contract import ResultStatus
from coxswain.store import runs
from tests.support import rows
from tests.support.sidecar_api import Api

SCHEMA = {"type": "object", "required": ["sum"], "properties": {"sum": {"type": "integer"}}}


async def claimed(api: Api, **fields: Any) -> tuple[str, dict[str, str]]:
    new = rows.new_run()
    new = replace(new, document=new.document.model_copy(update=fields))
    await api.operator.transact(runs.open_run, new)
    headers = api.as_pod(rows.pod(name=new.pod_name))
    run = {"run": f"{new.key.job_uid}/1"}
    async with api.anybody.post("/v1/run/claim", json=run, headers=headers) as answer:
        assert answer.status == 200
    return new.key.job_uid, headers


async def post(api: Api, headers: dict[str, str], **result: Any) -> int:
    async with api.anybody.post("/v1/run/result", json=result, headers=headers) as answer:
        return answer.status


async def read(api: Api, uid: str) -> dict[str, Any]:
    await api.mirrored("first", uid=uid)
    async with api.user.get("/v1/workspaces/team/jobs/first/result") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_an_output_that_fits_is_kept_whole_and_read_as_a_value(api: Api) -> None:
    uid, headers = await claimed(api, output_schema=SCHEMA)
    text = json.dumps({"sum": 6, "list": [12345678901234] * 9000})
    assert await post(api, headers, status="succeeded", answer="six", output=text) == 204
    assert await post(api, headers, status="succeeded", answer="six", output=text) == 204
    found = await read(api, uid)
    assert (found["status"], found["answer"], found["attempt"]) == ("succeeded", "six", 1)
    assert (found["output"]["sum"], len(found["output"]["list"])) == (6, 9000)


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ('{"sum": "x"}', 'output/sum: "x" is not of type "integer"'),
        (None, "output: there is none, and the Job's type asks for one"),
        ("{", "output: this is not JSON"),
        ("[" * 5000 + "]" * 5000, "output: nested deeper than 32 levels"),
    ],
)
async def test_an_output_that_does_not_fit_makes_the_attempt_a_failure(
    api: Api, output: str | None, why: str
) -> None:
    uid, headers = await claimed(api, output_schema=SCHEMA)
    assert await post(api, headers, status="succeeded", output=output) == 204
    assert await post(api, headers, status="succeeded", output=output) == 204
    found = await read(api, uid)
    assert (found["status"], found["reason"]) == ("failed", "OutputInvalid")
    assert found["message"].startswith(why)
    assert "output" not in found
    run = await api.operator.run(runs.of, runs.RunKey(uid, 1))
    assert run is not None
    assert run.result is not None
    assert (run.result.status, run.result.transient) == (ResultStatus.FAILED, False)


async def test_without_a_result_there_is_none_to_read(api: Api) -> None:
    uid, _ = await claimed(api)
    await api.mirrored("first", uid=uid)
    async with api.user.get("/v1/workspaces/team/jobs/first/result") as answer:
        assert answer.status == 404


async def test_the_numbers_of_the_workspace_are_for_runs_whose_type_grants_them(api: Api) -> None:
    _, headers = await claimed(api)
    async with api.anybody.get("/v1/run/report", headers=headers) as answer:
        said = await answer.json(content_type=None)
    assert (answer.status, said["code"]) == (403, "forbidden")
