"""The proxy of a replica leaves nothing behind when its plan is over."""

import asyncio

import aiohttp

from coxswain.kube import paths
from tests.faults.bed import Bed
from tests.faults.director import Director
from tests.faults.proxy.kube import KubeProxy
from tests.faults.proxy.seen import Trace
from tests.faults.replicas import Replica
from tests.faults.servers import Servers

WATCH = {"watch": "1"}


async def test_a_watch_whose_replica_has_gone_ends_with_the_proxy(bed: Bed) -> None:
    before = asyncio.all_tasks()
    trace = Trace()
    replica = Replica("one", Servers(bed.installation.plane))
    proxy = KubeProxy(bed.installation.plane.url, Director((), trace.now), trace, replica)
    async with proxy.serving(bed.account("operator")) as url:
        jobs = f"{url}{paths.collection('jobs')}"
        async with aiohttp.ClientSession() as session, session.get(jobs, params=WATCH) as answer:
            assert answer.status == 200
        assert asyncio.all_tasks() - before
    assert not asyncio.all_tasks() - before
