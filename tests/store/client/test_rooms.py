"""The other rooms of the client, against the real API: Schedules, agreement, callbacks, keys, audit, types."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coxswain import names
from coxswain.cli import audit as command
from coxswain.client import AsyncClient, errors
from coxswain.store import deliveries
from tests.support import audit_log, ended
from tests.support.sidecar_api import LOCAL_TOKEN, Api
from tests.support.wire import Wire

WORK = {"agentRef": {"name": "reader"}, "title": "Report", "prompt": "What is new?"}
HOURLY = {"interval": {"seconds": 3600}, "jobTemplate": {"spec": WORK}}
SCHEDULE = "/apis/coxswain.dev/v1alpha1/namespaces/team/schedules/morning"


def annotated(api: Api) -> bool:
    annotations = api.cluster.objects[SCHEDULE]["metadata"]["annotations"]
    return annotations.get(names.ANNOTATION_SUSPEND) is not None


async def test_a_schedule_is_made_fired_once_held_and_let_go(
    api: Api, client: AsyncClient, wire: Wire
) -> None:
    made = await client.schedules.create("team", HOURLY, name="morning")
    wire.cut_after(0)
    fired = await client.schedules.trigger("team", "morning", reason="now")
    # The first answer was lost, so the second one says that it stands already.
    assert (wire.cuts, fired.accepted) == (1, False)
    now = datetime.now(UTC)
    asked = await client.schedules.backfill(
        "team", "morning", now - timedelta(hours=3), now - timedelta(hours=1)
    )
    assert asked.accepted
    await client.schedules.pause("team", "morning", reason="holidays")
    assert annotated(api)
    await client.schedules.resume("team", "morning")
    assert not annotated(api)
    assert (await client.schedules.get("team", "morning")).id == made.id
    assert [each async for each in client.schedules.ticks("team", "morning")] == []


async def test_the_next_ticks_are_instants(api: Api, client: AsyncClient) -> None:
    await client.schedules.create("team", HOURLY, name="morning")
    assert await client.schedules.upcoming("team", "morning") == ()
    api.cluster.objects[SCHEDULE]["status"] = {"nextFireTimes": ["2026-11-29T10:00:00Z"]}
    (found,) = await client.schedules.upcoming("team", "morning")
    assert found == datetime(2026, 11, 29, 10, tzinfo=UTC)


async def test_a_person_agrees_to_what_was_shown(client: AsyncClient) -> None:
    rule = {"approvers": ["local", "ada"], "required": 2}
    await client.jobs.create("team", {**WORK, "approval": rule}, name="asks")
    shown = await client.approvals.get("team", "asks")
    assert shown.state == "ApprovalPending"
    agreed = await client.approvals.approve(shown, reason="fine")
    assert [each.approver for each in agreed.given] == ["local"]
    assert await client.approvals.calls("team", "asks") == []
    changed = shown.model_copy(update={"hash": "0" * 64})
    with pytest.raises(errors.ConflictError) as caught:
        await client.approvals.deny(changed)
    assert caught.value.code == "approval_changed"


async def test_a_key_is_made_used_and_revoked(api: Api, client: AsyncClient) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    made = await client.keys.create("ci", "Read", workspaces=["team"], expires_at=until)
    async with AsyncClient(api.url, made.secret) as machine:
        assert [each async for each in machine.jobs.list("team")] == []
        with pytest.raises(errors.ForbiddenError):
            await machine.jobs.create("team", WORK, name="first")
    await client.keys.revoke(made.id, reason="over")
    assert [each async for each in client.keys.list()] == []
    assert [each.state async for each in client.keys.list(revoked=True)] == ["Revoked"]


async def test_keys_are_listed_over_all_pages(client: AsyncClient) -> None:
    made = [(await client.keys.create(name, "Read")).id for name in ("one", "two", "three")]
    assert [each.id async for each in client.keys.list(page=1)] == made[::-1]


async def test_an_export_of_the_audit_log_is_what_the_command_verifies(
    api: Api, client: AsyncClient, tmp_path: Path
) -> None:
    sealing = await audit_log.sealer(api.operator, tmp_path)
    await client.keys.create("ci", "Read")
    await sealing.once()
    rows = [each async for each in client.audit.list(action="create_key")]
    assert {each.actor.name for each in rows} == {"local"}
    file, keys = tmp_path / "audit.jsonl", tmp_path / "keys.txt"
    keys.write_text("".join(f"{each.public_key}\n" for each in await client.audit.keys()))
    file.write_text("".join([f"{each}\n" async for each in client.audit.export()]))
    assert command.main(["verify", str(file), "--key", str(keys)]) == 0


async def test_job_types_are_made_changed_and_listed(client: AsyncClient) -> None:
    spec = {"description": "Adds", "inputSchema": {"type": "object"}, "command": ["seq", "3"]}
    made = await client.job_types.create("team", "count", spec)
    changed = await client.job_types.change(
        "team", "count", {"enabled": False}, version=made.version
    )
    assert changed.spec is not None
    assert changed.spec.enabled is False
    with pytest.raises(errors.ChangedError):
        await client.job_types.change("team", "count", {"enabled": True}, version=made.version)
    assert (await client.job_types.get("team", "count")).origin == "Workspace"
    assert "count" in {each.name for each in await client.job_types.list("team")}


async def test_agents_are_read(api: Api, client: AsyncClient) -> None:
    await api.mirrored("reader", kind="Agent", phase="Ready")
    assert (await client.agents.get("team", "reader")).status == "Ready"
    assert [each.name async for each in client.agents.list()] == ["reader"]


async def test_deliveries_are_listed_read_and_driven_again(api: Api, client: AsyncClient) -> None:
    owed = [ended.delivery("a"), ended.delivery("b")]
    await api.operator.transact(deliveries.owe, owed)
    assert {each.id async for each in client.deliveries.list("team", page=1)} == {
        each.id for each in owed
    }
    found = await client.deliveries.get("team", owed[0].id)
    assert (found.job, found.state, found.log) == ("a", "Pending", [])
    assert (
        await client.deliveries.redrive("team", found.id, reason="it is back")
    ).state == "Pending"


async def test_a_token_that_is_none_is_refused(api: Api) -> None:
    async with AsyncClient(api.url, f"{LOCAL_TOKEN}x") as client:
        with pytest.raises(errors.UnauthenticatedError):
            await client.agents.get("team", "reader")
