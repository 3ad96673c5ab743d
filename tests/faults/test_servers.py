"""The servers of a bed can be ended and come back, and nothing that they had is lost."""

from tests.faults.bed import Bed
from tests.faults.servers import Servers

LONG_SECONDS = 600.0


async def test_every_revision_is_there_after_both_were_killed_and_a_plan_waits_for_neither(
    bed: Bed,
) -> None:
    plane = bed.installation.plane
    newest = await bed.etcd.revision()
    before = await bed.etcd.changes(0, newest)
    pids = {name: plane.pid(name) for name in ("etcd", "kube-apiserver")}
    async with Servers(plane) as servers:
        for name in pids:
            servers.kill(name, LONG_SECONDS)
    assert await bed.etcd.changes(0, newest) == before
    assert not {plane.pid(name) for name in pids} & set(pids.values())


async def test_one_that_is_away_is_not_ended_twice(bed: Bed) -> None:
    plane = bed.installation.plane
    async with Servers(plane) as servers:
        servers.kill("kube-apiserver", LONG_SECONDS)
        servers.kill("kube-apiserver", LONG_SECONDS)
    assert (await bed.etcd.revision()) > 0
