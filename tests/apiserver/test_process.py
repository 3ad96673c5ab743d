"""The operator's process beside what fails around it: Postgres, one object, its own rights."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from coxswain import names
from coxswain.api.conditions import ConditionType
from coxswain.kube import paths
from coxswain.rules import audit_chain
from coxswain.store import audit, audit_seals
from tests.support import apiserver, audit_log, builders, pods, postgres
from tests.support.kubelet import Kubelet
from tests.support.leader import OPERATOR, Installation
from tests.support.outage import switchable
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace, outcomes, phases


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cx-") as folder:
        yield Path(folder)


async def test_while_postgres_is_away_pods_run_on_and_what_needs_a_row_waits(
    workspace: Workspace,
    installation: Installation,
    database: Database,
    sockets: Path,
    tmp_path: Path,
) -> None:
    ends = asyncio.Event()

    async def waits(pod: FakePod) -> None:
        await pod.starts()
        await ends.wait()
        await pod.ends()

    async with switchable(database, sockets) as (behind, postgres_of_it):
        with installation.operator(behind, tmp_path):
            await workspace.has_agent()
            script = waits
            async with Kubelet(workspace.client, script, namespace=workspace.namespace) as kubelet:
                await workspace.has_job("before")
                await workspace.job_runs("before")
                await postgres_of_it.off()
                await workspace.has_job()
                waiting = await workspace.job_waits(ConditionType.RECORDS_AVAILABLE)
                assert phases(waiting) == ["Queued"]
                assert (await workspace.job("before")).status.phase == "Running"
                assert len(kubelet.runs) == 1
                await postgres_of_it.on()
                await workspace.job_runs()
                ends.set()
                for name in ("before", "j"):
                    assert outcomes(await workspace.job_ends(name)) == ["Succeeded/Completed"]
                async with postgres.opened(database.sidecar) as store:
                    for name in ("before", "j"):
                        uid = (await workspace.job(name)).metadata.uid
                        types = await Ledger(store).until(uid, "job.succeeded")
                        assert len(types) == len(set(types)) == 6


async def test_an_agent_stays_ready_while_postgres_is_away(
    workspace: Workspace,
    installation: Installation,
    database: Database,
    sockets: Path,
    tmp_path: Path,
) -> None:
    async with (
        switchable(database, sockets) as (behind, postgres_of_it),
        postgres.opened(database.gateway) as gateway,
    ):
        with installation.operator(behind, tmp_path):
            await workspace.apply(builders.agent("a").with_model())
            await workspace.agent_is("a", "Pending")
            await Ledger(gateway).judge(await workspace.agent())
            await workspace.agent_is("a", "Ready")
            await postgres_of_it.off()
            await workspace.has_job()
            await workspace.job_waits(ConditionType.RECORDS_AVAILABLE)
            assert (await workspace.agent()).status.phase == "Ready"


async def test_a_lost_row_of_a_running_pod_is_written_again(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    async with (
        postgres.opened(database.admin) as admin,
        Kubelet(workspace.client, pods.hangs, namespace=workspace.namespace),
    ):
        ledger = Ledger(admin)
        with installation.operator(database, tmp_path) as operator:
            await workspace.has_agent()
            await workspace.has_job()
            running = await workspace.job_runs()
            operator.terminate()
            await admin.run(_forget_runs)
        with installation.operator(database, tmp_path):
            async with asyncio.timeout(20):
                while (row := await ledger.run(running)) is None:  # noqa: ASYNC110 - the operator
                    await asyncio.sleep(0.05)
        assert row.pod_uid == running.status.attempts[0].pod_uid
        assert row.token >= running.status.attempts[0].token


async def test_one_poisonous_object_holds_up_nobody_else(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    with installation.operator(database, tmp_path) as operator:
        poison = await workspace.has_job("poison", agent="late")
        # Somebody else's pod has its name: it can never start.
        await workspace.has_pod(names.attempt_pod("poison", poison.metadata.uid, 1))
        await workspace.has_agent()
        await workspace.has_agent("late")
        async with Kubelet(workspace.client, namespace=workspace.namespace):
            await workspace.until(
                lambda job: any(
                    each.reason == "RetryingAfterError" for each in job.status.conditions
                ),
                "poison",
            )
            await workspace.has_job()
            assert (await workspace.job_ends()).status.phase == "Succeeded"
        assert "coxswain_reconcile_errors_total" in await operator.metrics()


async def test_a_right_that_is_taken_away_is_named_and_only_its_workspace_waits(
    workspace: Workspace, installation: Installation, database: Database, tmp_path: Path
) -> None:
    with installation.operator(database, tmp_path):
        await workspace.has_agent()
        async with installation.without_rights(workspace.client, workspace.namespace):
            await workspace.has_job()
            async with asyncio.timeout(20):
                while not _refusals(installation, workspace):  # noqa: ASYNC110 - the operator asks
                    await asyncio.sleep(0.05)
        async with Kubelet(workspace.client, namespace=workspace.namespace):
            assert (await workspace.job_ends()).status.phase == "Succeeded"


@pytest.mark.parametrize("milliseconds", [0, 40, 80, 120, 200])
async def test_an_operator_that_is_told_to_end_as_it_begins_to_lead_ends(
    milliseconds: int, installation: Installation, database: Database, tmp_path: Path
) -> None:
    with installation.operator(database, tmp_path) as operator:
        async with asyncio.timeout(20):
            while "event=leading" not in operator.text:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.005)
        await asyncio.sleep(milliseconds / 1000)
        assert await asyncio.to_thread(operator.terminate) == 0
        assert "starting anew" not in operator.text


async def test_a_change_of_the_kinds_under_a_leader_hides_no_job(
    installation: Installation, database: Database, tmp_path: Path, workspace: Workspace
) -> None:
    with installation.operator(database, tmp_path):
        await workspace.has_agent()
        async with Kubelet(workspace.client, namespace=workspace.namespace):
            for number in range(3):
                await apiserver.touch_kinds(workspace.client)
                await workspace.has_job(f"j{number}")
                await workspace.job_ends(f"j{number}", seconds=20)


async def test_the_operator_says_what_to_do_where_its_kinds_are_missing(
    installation: Installation, database: Database, tmp_path: Path, workspace: Workspace
) -> None:
    path = paths.of("customresourcedefinitions", None, "jobs.coxswain.dev")
    found = await workspace.client.get(path)
    annotations = {"metadata": {"annotations": {"coxswain.dev/crd-version": "0"}}}
    await workspace.client.patch(path, annotations)
    try:
        with installation.operator(database, tmp_path) as operator:
            assert await asyncio.to_thread(operator.process.wait, 20) == 78
            assert "upgrade the chart coxswain-crds first" in operator.text
    finally:
        kept = {"metadata": {"annotations": found["metadata"]["annotations"]}}
        await workspace.client.patch(path, kept)
        await apiserver.until_served(workspace.client)


def _refusals(installation: Installation, workspace: Workspace) -> list[object]:
    calls = installation.audit.calls(OPERATOR, workspace.namespace)
    return [call for call in calls if call.code == 403]


async def _forget_runs(connection: object) -> None:
    await connection.execute("DELETE FROM runs")  # type: ignore[attr-defined]  # any connection


async def test_the_leader_seals_the_audit_log_with_the_key_that_it_is_given(
    installation: Installation, database: Database, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(audit_log.seed(1))
    async with postgres.opened(database.sidecar) as records:
        await records.run(audit.write, audit_log.entry())
        with installation.operator(database, tmp_path, audit_key_file=key):
            async with asyncio.timeout(60):
                while (found := await records.run(audit_seals.head, "team")) is None:  # noqa: ASYNC110 - another process does it
                    await asyncio.sleep(0.1)
    written = audit_chain.signed(audit_chain.seal(found.body))
    assert audit_log.keys().public.verifies(found.signature, written)
