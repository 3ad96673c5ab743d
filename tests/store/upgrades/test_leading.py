"""A leader that meets the schema of an earlier version."""

import pytest

from coxswain.errors import UnavailableError
from coxswain.reconcile.fence import Fence
from coxswain.store import leadership, migrate
from coxswain.store.schema import REVISION
from tests.support import postgres, revisions
from tests.support.postgres import Database


async def test_a_leader_leaves_the_schema_of_an_earlier_version_alone_until_it_is_at_head(
    empty: Database,
) -> None:
    await revisions.bring(empty.owner, REVISION - 1)
    async with postgres.opened(empty.operator) as store:
        fence = Fence(store, "one")
        fence.begin(1)
        with pytest.raises(UnavailableError, match=f"this version needs {REVISION}"):
            await fence.take()
        with pytest.raises(UnavailableError, match=f"this version needs {REVISION}"):
            await fence.write(leadership.current)
        assert (await store.run(leadership.current)).epoch == 0
        assert f"this version needs {REVISION}" in fence.condition().message
        await migrate.upgrade(empty.owner)
        assert await fence.take() == 0
        assert (await store.run(leadership.current)).epoch == 1
