"""The sender of callbacks as the egress gateway runs it, in a process without the web door.

Settings are the gateway's own, of callbacks. The signing Secret is given by a variable, since there is
no API server to read it from, and every host name is this machine.
"""

import asyncio
import base64
import os
from typing import Any

from coxswain import names, settings
from coxswain.gateway.callbacks import assembly
from coxswain.settings import CallbackSettings
from coxswain.store import deliveries
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.telemetry import logs

DSN, KEY = "COXSWAIN_BENCH_DSN", "COXSWAIN_BENCH_KEY"
CONNECTIONS = 8


async def read_object(_path: str) -> dict[str, Any]:
    """The Secret, as the API server would give it."""
    key = base64.b64encode(os.environ[KEY].encode()).decode()
    return {"type": names.SECRET_TYPE_SIGNING, "data": {"key": key}}


async def resolve(_host: str, _port: int) -> list[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


async def main() -> None:
    """Send until it is ended."""
    given = settings.load(CallbackSettings)
    logs.configure(given.log_format, "warning")
    store = await Store.open(os.environ[DSN], connections=CONNECTIONS, name="bench-sender")
    listener = Listener(store.dsn, [deliveries.CHANNEL])
    async with (
        assembly.opened(given, store, read_object, listener, resolve=resolve) as worker,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(listener.run())
        group.create_task(worker.run())


if __name__ == "__main__":
    asyncio.run(main())
