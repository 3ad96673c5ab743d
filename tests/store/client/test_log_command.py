"""The command that prints the event log, against the real API."""

import asyncio
import io
import json
import os
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coxswain.cli import log
from coxswain.store import events, uuid7
from coxswain.store.pool import Store
from devtools.pki import Authority
from tests.support.postgres import Database
from tests.support.rows import event
from tests.support.sidecar_api import LOCAL_TOKEN, Api, running

REFUSED = {"host": "a.example", "port": 443, "code": "host_not_listed", "message": "no"}


async def told(api: Api, *words: str, token: str = LOCAL_TOKEN) -> tuple[int, list[str]]:
    """How it ended, and the lines that it printed."""
    known, out = {log.ADDRESS: api.url, log.TOKEN: token}, io.StringIO()
    code = await asyncio.to_thread(log.main, words, known, out)
    return code, out.getvalue().splitlines()


async def happened(api: Api) -> None:
    """A refusal and a note of this moment, and a note of three days ago, which the log has third."""
    old = event(id=uuid7.new(datetime.now(UTC) - timedelta(days=3)))
    refused = event("run.egress.refused", workspace="team", details=REFUSED)
    await api.operator.run(events.append, [refused, event(), old])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), [1, 2, 3]),
        (("--since", "1h"), [1, 2]),
        (("--since", "2026-01-01T00:00:00Z"), [1, 2, 3]),
        (("--security",), [1]),
        (("--security", "--since", "2200-01-01T00:00:00Z"), []),
        (("--type", "user.", "--since", "1h"), [2]),
        (("--workspace", "team", "--type", "run."), [1]),
        (("--after", "1"), [2, 3]),
    ],
)
async def test_it_prints_what_happened_since_a_time_and_matters_to_security(
    api: Api, words: tuple[str, ...], wanted: list[int]
) -> None:
    await happened(api)
    code, lines = await told(api, *words, "-o", "json")
    assert (code, [json.loads(each)["position"] for each in lines]) == (0, wanted)
    code, lines = await told(api, *words)
    assert (code, [int(each.split()[1]) for each in lines]) == (0, wanted)


async def test_in_json_an_event_is_as_the_api_gives_it(api: Api) -> None:
    await happened(api)
    async with api.user.get("/v1/events") as answer:
        given = (await answer.json())["events"]
    code, lines = await told(api, "-o", "json")
    assert (code, [json.loads(each) for each in lines]) == (0, given)


async def test_a_refusal_of_the_api_ends_with_1_and_says_why(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await told(api, token="nobody's") == (1, [])
    assert "coxswain-log: token_invalid: " in capsys.readouterr().err
    assert await told(api, "--workspace", "No Name") == (1, [])
    assert "coxswain-log: query.workspace: " in capsys.readouterr().err


async def run(url: str, stdout: int, **environment: str) -> tuple[int | None, bytes, bytes]:
    """A process of its own: how it ended, and what it said."""
    known = {log.ADDRESS: url, log.TOKEN: LOCAL_TOKEN}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "coxswain.cli.log"),
        env={**os.environ, **known, **environment},
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    return process.returncode, out, said


async def test_a_reader_who_has_enough_is_no_error(api: Api) -> None:
    await happened(api)
    reads, writes = os.pipe()
    os.close(reads)
    try:
        code, _, said = await run(api.url, writes)
    finally:
        os.close(writes)
    assert (code, said) == (0, b"")


async def test_over_tls_it_is_told_who_signs_as_other_programs_are(
    database: Database, operator_store: Store, tmp_path: Path, pki: Path
) -> None:
    authority = Authority(pki)
    pair = authority.issue("api", "api", hosts=["127.0.0.1"])
    given = {"door_certificate_file": pair.certificate, "door_certificate_key_file": pair.key}
    context = ssl.create_default_context(cafile=str(authority.certificate))
    async with running(database, operator_store, tmp_path, trusting=context, **given) as api:
        await happened(api)
        signer = {"SSL_CERT_FILE": str(authority.certificate)}
        code, out, said = await run(api.url, asyncio.subprocess.PIPE, **signer)
    assert (code, len(out.splitlines()), said) == (0, 3, b"")
