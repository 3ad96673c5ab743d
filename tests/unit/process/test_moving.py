"""A work queue whose keys get no pass is told of."""

from random import Random
from typing import Any, cast

import pytest
from pydantic import SecretStr

from coxswain.errors import UnavailableError
from coxswain.process.leading import STUCK_SECONDS, Leading, onboarded, require_moving
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.key import Key
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.settings import OperatorSettings
from tests.support.ticking import Ticking


async def test_a_key_that_waits_for_its_pass_for_over_a_minute_is_told_of() -> None:
    clock = Ticking()
    queue = WorkQueue(clock, Random(1))  # noqa: S311 - jitter
    key = Key("Job", "team", "first", "1")
    clock.now += 10 * STUCK_SECONDS
    require_moving(queue)
    queue.add(key)
    clock.now += STUCK_SECONDS
    require_moving(queue)
    clock.now += 1
    with pytest.raises(UnavailableError, match="an object has waited 61 s for its pass"):
        require_moving(queue)
    await queue.take()
    require_moving(queue)


async def test_a_leader_that_never_begins_to_work_is_told_of_after_a_minute() -> None:
    clock, nobody = Ticking(), cast("Any", None)
    given = OperatorSettings(
        database_dsn=SecretStr("postgresql://somebody@postgres/coxswain"),
        mode="dev",
        installation="test",
        namespace="coxswain-system",
        identity="one",
        agent_image="registry.example/agent:1",
    )
    leading = Leading(
        given, nobody, nobody, nobody, listener=nobody, tell=nobody, parts=nobody, clock=clock
    )
    clock.now += STUCK_SECONDS
    await leading.check()
    clock.now += 1
    with pytest.raises(UnavailableError, match="has not begun to work"):
        await leading.check()


def test_workspaces_are_the_namespaces_with_the_quota_of_the_chart() -> None:
    cache = Cache()
    for number, (namespace, name) in enumerate(
        [("b", "coxswain-agents"), ("a", "coxswain-agents"), ("c", "of-somebody-else")]
    ):
        metadata = {
            "namespace": namespace,
            "name": name,
            "uid": str(number),
            "resourceVersion": "1",
        }
        cache.put("ResourceQuota", {"kind": "ResourceQuota", "metadata": metadata})
    assert onboarded(cache) == ["a", "b"]
