"""Who is refused at a gateway's door for want of identity: sums in the audit log, and nothing of who it was."""

from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from coxswain.api.audit import Actor, AuditEntry, Outcome
from coxswain.errors import CoxswainError
from coxswain.gateway.models import process
from coxswain.settings import ModelGatewaySettings
from coxswain.store import audit
from coxswain.store.audit import Query
from coxswain.store.pool import Store
from tests.support import audit_log, rows, web_door
from tests.support.objects import FakeCluster
from tests.support.postgres import Database


async def refusals(store: Store) -> list[AuditEntry]:
    page = await store.run(audit.page, Query(action="requests_refused"))
    return [row.entry for row in page.rows]


async def asked(session: aiohttp.ClientSession, url: str, token: str | None) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with session.post(f"{url}/v1/chat/completions", json={}, headers=headers) as answer:
        return answer.status, (await answer.json())["error"]["code"]


async def test_who_is_refused_at_the_model_door_is_in_the_audit_log(
    database: Database, operator_store: Store
) -> None:
    cluster = FakeCluster()
    given = ModelGatewaySettings(
        database_dsn=SecretStr(database.gateway),
        bind="127.0.0.1",
        port=0,
        health_port=0,
        installation="test",
        mode="dev",
    )
    async with (
        process.running(given, cluster, leave_seconds=0) as ports,
        aiohttp.ClientSession() as session,
    ):
        url = f"http://127.0.0.1:{ports.door}"
        found = [await asked(session, url, None) for _ in range(2)]
        found.append(await asked(session, url, "a.b.c"))
        # A pod of ours, whose run another pod has, or nobody.
        found.append(await asked(session, url, cluster.token(rows.pod(name="another"))))
    assert {status for status, _ in found} == {401}
    (told,) = await refusals(operator_store)
    counts = {code: [each for _, each in found].count(code) for _, code in found}
    assert counts["token_missing"] == 2
    assert counts["run_unclaimed"] == 1
    assert told.details == {"count": 4, "door": "models", **counts}
    assert (told.actor, told.outcome) == (Actor("anonymous"), Outcome.DENIED)


async def test_who_is_refused_at_the_web_door_is_in_the_audit_log(
    database: Database, operator_store: Store
) -> None:
    async with web_door.running(database) as door:
        for token in (None, "a.b.c", door.cluster.token(rows.pod(name="another"))):
            refused = await door.connect("listed.example:443", token)
            assert refused.answer.status in {403, 407}
    (told,) = await refusals(operator_store)
    assert (told.details["count"], told.details["door"]) == (3, "egress")
    assert told.details["run_unclaimed"] == 1


async def test_a_gateway_writes_no_other_row_and_reads_none(gateway_store: Store) -> None:
    for attempt in (
        gateway_store.run(audit.write, audit_log.entry()),
        gateway_store.run(audit.page, Query()),
    ):
        with pytest.raises(CoxswainError) as refused:
            await attempt
        assert refused.value.code == "database_refused"
