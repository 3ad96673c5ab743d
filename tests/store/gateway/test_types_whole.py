"""Built-in job types, done by the real agent process against the real API, gateway and Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from coxswain.api.contract import ResultStatus
from coxswain.api.job import JobSpec
from coxswain.api.job_type import JobTypeSpec
from coxswain.rules import job_types
from coxswain.store.pool import Store
from coxswain.store.runs import Run
from tests.store.gateway.test_whole import Cluster, Platform
from tests.support import examples
from tests.support.postgres import Database

MESSY = "Title\n=====\n\n* one\n* two\n"
NEAT = "# Title\n\n- one\n- two\n"


@pytest.fixture
async def platform(
    database: Database, operator_store: Store, tmp_path: Path
) -> AsyncIterator[Platform]:
    async with AsyncExitStack() as stack:
        started = Platform(stack, database, operator_store, tmp_path, Cluster())
        await started.start()
        yield started


async def does(
    platform: Platform, name: str, given: object, found: JobTypeSpec | None = None
) -> tuple[int, str, Run]:
    """What the operator would write into the run, and what comes of it."""
    known = found or job_types.of_map(name, None)
    if name == "ai.chat.generate":
        raw = {"metadata": {"labels": {"coxswain.dev/job-type": ""}}, "data": {"enabled": "true"}}
        known = job_types.of_map(name, raw)
    text = json.dumps(given)
    job = JobSpec.model_validate(
        {"agentRef": {"name": "a"}, "title": "t", "type": name, "input": text}
    )
    made = job_types.resolve("team", job, known)
    return await platform.finish(
        type=name,
        input=text,
        prompt=made.spec.prompt,
        command=made.spec.command,
        output_schema=made.type.output_schema,
        grants=list(made.type.grants),
    )


def output(run: Run) -> Any:
    assert run.result is not None
    assert run.result.status is ResultStatus.SUCCEEDED, run.result.message
    return json.loads(run.result.output or "null")


async def artifacts(database: Database, run: Run) -> dict[str, str]:
    connection = await asyncpg.connect(database.admin)
    kept = await connection.fetch(
        "SELECT name, content FROM artifacts WHERE job_uid = $1", run.key.job_uid
    )
    await connection.close()
    return {row["name"]: row["content"].decode() for row in kept}


async def test_noop_hands_its_input_back(platform: Platform) -> None:
    code, said, run = await does(platform, "noop", {"a": [1, "ä"]})
    assert code == 0, said
    assert output(run) == {"a": [1, "ä"]}


async def test_command_runs_what_its_input_says(platform: Platform) -> None:
    code, said, run = await does(platform, "command", {"argv": ["echo", "$HOME", "a b"]})
    assert code == 0, said
    assert run.result is not None
    assert run.result.answer == "$HOME a b\n"


async def test_docs_format_formats_the_files_of_the_job_and_keeps_them(
    platform: Platform,
) -> None:
    files = platform.folder / "files" / "docs"
    await asyncio.to_thread(files.mkdir, parents=True)
    await asyncio.to_thread((files / "messy.md").write_text, MESSY)
    await asyncio.to_thread((files / "neat.md").write_text, NEAT)
    code, said, run = await does(platform, "docs.format", {})
    assert code == 0, said
    assert output(run) == {
        "files": [
            {"path": "docs/messy.md", "changed": True, "artifact": "1-docs-messy.md"},
            {"path": "docs/neat.md", "changed": False, "artifact": "2-docs-neat.md"},
        ]
    }
    assert await artifacts(platform.database, run) == {
        "1-docs-messy.md": NEAT,
        "2-docs-neat.md": NEAT,
    }
    assert (platform.folder / "workspace" / "docs" / "messy.md").read_text() == NEAT


async def test_docs_format_with_nothing_to_format_fails(platform: Platform) -> None:
    code, _, run = await does(platform, "docs.format", {})
    assert code == 1
    assert run.result is not None
    assert run.result.reason == "ExitCode"
    assert "there is no .md file" in (run.result.message or "")
    _, _, other = await does(platform, "docs.format", {"paths": ["../outside.md"]})
    assert other.result is not None
    assert "there is no file ../outside.md in the workspace" in (other.result.message or "")


async def test_report_generate_reports_what_was_done_in_the_workspace(
    platform: Platform,
) -> None:
    await does(platform, "ai.chat.generate", {"prompt": "Hello"})
    code, said, run = await does(platform, "report.generate", {"hours": 1})
    assert code == 0, said
    found = output(run)
    assert (found["workspace"], found["attempts"]) == ("team", {"Open": 2})
    (model,) = found["models"]
    assert (model["model"], model["calls"], model["failed"]) == ("demo/demo", 1, 0)
    page = (await artifacts(platform.database, run))["report.md"]
    assert "# Workspace team" in page
    assert "| demo/demo | 1 | 0 |" in page


async def test_ai_chat_generate_asks_the_model_of_the_agent(platform: Platform) -> None:
    code, said, run = await does(platform, "ai.chat.generate", {"prompt": "Hello"})
    assert code == 0, said
    assert "demo" in output(run)
    assert run.result is not None
    assert output(run) == run.result.answer


def of(command: str, schema: dict[str, Any]) -> JobTypeSpec:
    return JobTypeSpec(input_schema={}, output_schema=schema, command=["sh", "-c", command])


async def test_a_program_gives_its_output_by_a_file_and_not_by_one_of_an_earlier_run(
    platform: Platform,
) -> None:
    schema = {"type": "object", "required": ["sum"]}
    command = 'cat "$COXSWAIN_INPUT"; echo \'{"sum": 6}\' > "$COXSWAIN_OUTPUT"'
    code, said, run = await does(platform, "count", {"n": 3}, of(command, schema))
    assert code == 0, said
    assert output(run) == {"sum": 6}
    assert run.result is not None
    assert run.result.answer == '{"n": 3}'
    _, _, silent = await does(platform, "count", {}, of("true", schema))
    assert silent.result is not None
    assert (silent.result.status, silent.result.reason) == (ResultStatus.FAILED, "OutputInvalid")


async def test_the_sample_counts_the_words_of_its_files(platform: Platform) -> None:
    (sample,) = examples.objects(examples.FOLDER / "reference" / "job-type.yaml")
    found = job_types.of_map("words.count", sample)
    assert isinstance(found, JobTypeSpec)
    files = platform.folder / "files"
    await asyncio.to_thread(files.mkdir)
    for name, text in (("a.txt", "one two"), ("b c.txt", "three")):
        await asyncio.to_thread((files / name).write_text, text + "\n")
    code, said, run = await does(platform, "words.count", {"paths": ["a.txt", "b c.txt"]}, found)
    assert code == 0, said
    assert output(run) == {"words": 3}


@pytest.mark.parametrize("said", ["{", '{"total": 6}', "[" * 90 + "]" * 90])
async def test_an_output_that_breaks_the_contract_fails_the_run(
    platform: Platform, said: str
) -> None:
    schema = {"type": "object", "required": ["sum"]}
    command = f"printf %s '{said}' > \"$COXSWAIN_OUTPUT\""
    _, _, run = await does(platform, "count", {}, of(command, schema))
    assert run.result is not None
    assert (run.result.status, run.result.reason) == (ResultStatus.FAILED, "OutputInvalid")
    assert (run.result.message or "").startswith("output")


async def test_an_answer_that_should_be_json_and_is_none_fails_the_run(
    platform: Platform,
) -> None:
    found = JobTypeSpec(
        input_schema={"properties": {"q": {}}},
        output_schema={"type": "object"},
        prompt="{{q}}",
    )
    _, _, run = await does(platform, "ask", {"q": "Hello"}, found)
    assert run.result is not None
    assert run.result.reason == "OutputInvalid"
