"""The log of a Job over HTTP: its output, and where its steps begin and end."""

from typing import Any

from coxswain.store import mirror
from tests.store.sidecar.test_streams import append, ended_job
from tests.support.sidecar_api import Api


async def test_the_log_is_the_output_also_after_the_job_is_gone(api: Api) -> None:
    row = await ended_job(api)
    await append(
        api,
        "run.output",
        uid=row.uid,
        workspace="team",
        attempt=1,
        details={"stream": "stderr", "text": "warning\n"},
    )
    await append(
        api,
        "run.output",
        uid=row.uid,
        workspace="team",
        attempt=2,
        details={"stream": "stdout", "text": "second\n"},
    )
    await api.operator.transact(mirror.mark_deleted, [row.uid], [])

    async def log(query: str) -> str:
        path = f"/v1/workspaces/team/jobs/first/log?{query}"
        async with api.user.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, "text/plain")
            return await answer.text()

    assert await log("") == "second\n"
    assert await log("attempt=1") == "one\ntwo\nwarning\n"
    assert await log("attempt=1&stream=stderr") == "warning\n"
    assert await log("attempt=3") == ""


async def test_the_log_says_where_steps_begin_and_end_and_what_is_left_out(api: Api) -> None:
    row = await api.mirrored("first")

    async def happens(kind: str, **details: Any) -> None:
        await append(api, kind, uid=row.uid, workspace="team", attempt=1, details=details)

    await happens("run.step.started", step="one", number=1, of=4)
    await happens("run.model_call", step=1, outcome="ok")
    await happens("run.output", stream="stdout", text="hello\n")
    cut = {"artifact": "one.stdout", "bytes": 16_777_300, "truncated": True}
    await happens("run.output", stream="stdout", text="", **cut)
    await happens("run.output", stream="stdout", text="", artifact="two.stdout", truncated=False)
    await happens("run.step.succeeded", step="one", exitCode=0)
    await happens("run.step.failed", step="two", exitCode=3, reason="ExitCode", message="why")
    await happens("run.step.failed", step="three", reason="MaxSteps", message="no answer")
    await happens("run.step.skipped", step="four", because="two")
    path = "/v1/workspaces/team/jobs/first/log"
    async with api.user.get(path) as answer:
        lines = (await answer.text()).split("\n")
    assert [line for line in lines if line] == [
        "[step one started]",
        "hello",
        "[there was more: the first 16777216 of its 16777300 bytes are the artifact 'one.stdout']",
        "[there was more: all of it is the artifact 'two.stdout']",
        "[step one succeeded]",
        "[step two failed: exit code 3]",
        "[step three failed: MaxSteps: no answer]",
        "[step four skipped: step two did not succeed]",
    ]
    async with api.user.get(f"{path}?stream=stdout") as answer:
        assert "step" not in await answer.text()


async def test_a_log_of_steps_that_said_nothing_is_of_the_newest_attempt(api: Api) -> None:
    row = await api.mirrored("first")
    for attempt in (1, 2):
        about = {"uid": row.uid, "workspace": "team", "attempt": attempt}
        await append(api, "run.step.started", **about, details={"step": f"of-{attempt}"})
    async with api.user.get("/v1/workspaces/team/jobs/first/log") as answer:
        assert await answer.text() == "\n[step of-2 started]\n"
