"""What agents ask of the records, in a process of its own so that its CPU can be told apart.

Each line of its input names a pod and what it does; the pod's uid on its output says that it is done.
"""

import asyncio
import os
import sys

from coxswain.api.contract import RunResult
from coxswain.store import claims, reports
from coxswain.store.claims import Pod
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey

DSN = "COXSWAIN_BENCH_DSN"
CONNECTIONS = 8
CLAIM, POST = "claim", "post"


async def carry_out(store: Store, line: str) -> None:
    """A pod's first call, or its last."""
    verb, workspace, account, name, uid, run = line.split()
    if verb == CLAIM:
        job_uid, _, attempt = run.partition("/")
        key = RunKey(job_uid, int(attempt))
        await store.transact(claims.claim, key, Pod(workspace, account, name, uid))
    else:
        await store.transact(reports.post_result, uid, RunResult(status="succeeded", answer="42"))
    sys.stdout.write(f"{uid}\n")
    sys.stdout.flush()


async def main() -> None:
    """Work until there is no more input; what fails ends the process, and with it the bench."""
    store = await Store.open(os.environ[DSN], connections=CONNECTIONS, name="bench-agents")
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with asyncio.TaskGroup() as group:
        while line := await lines.readline():
            group.create_task(carry_out(store, line.decode()))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main())
