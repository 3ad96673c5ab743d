"""Runs the real agent program as a process of its own."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SECONDS = 30.0


@dataclass
class AgentProcess:
    """The program with its folders; start it, then wait for its exit code."""

    folder: Path
    url: str
    models_url: str
    run: str
    extra: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    @property
    def workspace(self) -> Path:
        """Its working folder."""
        return self.folder / "workspace"

    @property
    def termination(self) -> str:
        """Its last word."""
        return (self.folder / "termination-log").read_text()

    async def start(self) -> None:
        """Start it, with a token file and nothing of this process's own environment."""
        for name in ("workspace", "files", "spool"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "token").write_text("the-token\n")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "coxswain_agent",
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def wait(self) -> tuple[int, str]:
        """Exit code and log."""
        assert self.process is not None
        said, _ = await asyncio.wait_for(self.process.communicate(), SECONDS)
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()

    async def finish(self) -> tuple[int, str]:
        """Start it and wait for it."""
        await self.start()
        return await self.wait()

    def _environment(self) -> dict[str, str]:
        roots = ("images/agent", "operator")
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / root) for root in roots),
            "HOME": str(self.workspace),
            "COXSWAIN_URL": self.url,
            "COXSWAIN_MODELS_URL": self.models_url,
            "COXSWAIN_TOKEN_FILE": str(self.folder / "token"),
            "COXSWAIN_RUN": self.run,
            "COXSWAIN_WORKSPACE": str(self.workspace),
            "COXSWAIN_FILES": str(self.folder / "files"),
            "COXSWAIN_TERMINATION_LOG": str(self.folder / "termination-log"),
            "COXSWAIN_SPOOL": str(self.folder / "spool"),
            "COXSWAIN_DOOR_PORT": "0",
            "COXSWAIN_HEARTBEAT_SECONDS": "0.1",
            "COXSWAIN_FLUSH_SECONDS": "0.05",
            **self.extra,
        }
