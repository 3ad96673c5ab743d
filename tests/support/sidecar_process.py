"""The sidecar API as a process of its own, so that it can be killed."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

TOKEN = "a-local-token-of-the-tests"
# A start is a second or two of CPU, which a busy machine gives in pieces.
SECONDS = 60.0


@dataclass(frozen=True)
class Sidecar:
    """A process that listens, and its addresses."""

    process: asyncio.subprocess.Process
    url: str
    health_url: str

    @property
    def port(self) -> int:
        """Where the API answers."""
        return int(self.url.rpartition(":")[2])

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (resident,) = (line for line in lines if line.startswith("VmRSS"))
        return int(resident.split()[1]) * 1024

    async def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """End it in order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def started(dsn: str, folder: Path, **settings: str) -> AsyncIterator[Sidecar]:
    """A process from the command line; what it says is in the file ``lines``. It knows the local token."""
    port, health = int(settings.get("COXSWAIN_PORT") or free_port()), free_port()
    token_file = folder / f"token-{uuid4().hex}"
    token_file.write_text(TOKEN)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPYCACHEPREFIX": sys.pycache_prefix or "",
        "COXSWAIN_DATABASE_DSN": dsn,
        "COXSWAIN_BIND": "127.0.0.1",
        "COXSWAIN_PORT": str(port),
        "COXSWAIN_HEALTH_PORT": str(health),
        "COXSWAIN_INSTALLATION": "test",
        "COXSWAIN_MODE": "dev",
        "COXSWAIN_ACCOUNT_FOLDER": str(folder / "not-there-yet"),
        "COXSWAIN_LOCAL_TOKEN_FILE": str(token_file),
        **settings,
    }
    with (folder / "lines").open("a") as lines:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "coxswain", "sidecar", env=environment, stderr=lines
        )
        try:
            await _listening(port, process)
            yield Sidecar(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{health}")
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def free_port() -> int:
    """A port on loopback that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            assert process.returncode is None, "it has ended; its last words are in lines"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
