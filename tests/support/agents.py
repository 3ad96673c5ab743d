"""Runs the real agent program: in this process, or as one of its own where signals and exit codes count."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coxswain.api.contract import ExitCode
from coxswain_agent import run
from coxswain_agent.ending import Stop, Stopper
from coxswain_agent.settings import AgentSettings

Program = Callable[[AgentSettings, Stopper], Coroutine[Any, Any, ExitCode]]
REPOSITORY = Path(__file__).parents[2]
SECONDS = 30.0


@dataclass
class Agent:
    """Its folders and settings. ``workspace`` is where it works, ``termination`` its last word."""

    folder: Path
    url: str
    models_url: str
    run: str
    extra: dict[str, Any] = field(default_factory=dict)
    token: str = "the-token"

    @property
    def workspace(self) -> Path:
        """Its working folder."""
        return self.folder / "workspace"

    @property
    def termination(self) -> str:
        """Its last word."""
        return (self.folder / "termination-log").read_text()

    def prepare(self) -> dict[str, Any]:
        """Make what the kubelet would have made, and say where it is."""
        for name in ("workspace", "files", "spool", "handed"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "token").write_text(self.token + "\n")
        return {
            "url": self.url,
            "models_url": self.models_url,
            "token_file": self.folder / "token",
            "run": self.run,
            "workspace": self.workspace,
            "files": self.folder / "files",
            "termination_log": self.folder / "termination-log",
            "spool": self.folder / "spool",
            "handed": self.folder / "handed",
            "signs_port": 0,
            "door_port": 0,
            "heartbeat_seconds": 0.05,
            "flush_seconds": 0.02,
            **self.extra,
        }


@dataclass
class AgentTask(Agent):
    """The program as a task of this process."""

    task: "asyncio.Task[ExitCode] | None" = None
    stopper: Stopper | None = None
    program: Program = run.execute

    def start(self) -> None:
        """Start it."""
        settings = AgentSettings(**self.prepare())
        self.stopper = Stopper()
        self.task = asyncio.create_task(self.program(settings, self.stopper))

    def terminate(self) -> None:
        """Do what SIGTERM does."""
        assert self.stopper is not None
        self.stopper.ask(Stop.TERMINATED)

    async def wait(self) -> int:
        """Its exit code."""
        assert self.task is not None
        return int(await asyncio.wait_for(self.task, SECONDS))

    async def finish(self) -> int:
        """Start it and wait for it."""
        self.start()
        return await self.wait()


@dataclass
class AgentProcess(Agent):
    """The program as a process of its own, with nothing of this one's environment."""

    process: asyncio.subprocess.Process | None = None
    arguments: tuple[str, ...] = ()

    async def start(self) -> None:
        """Start it."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "coxswain_agent",
            *self.arguments,
            env=self._environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    def terminate(self) -> None:
        """Send SIGTERM."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """What a container's end does: nothing in it lives on."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)

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
        ours = {f"COXSWAIN_{name.upper()}": str(value) for name, value in self.prepare().items()}
        return {
            # As in the image: python is the one that the program runs on.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / root) for root in roots),
            # In the image everything is compiled.
            "PYTHONPYCACHEPREFIX": sys.pycache_prefix or "",
            "HOME": str(self.workspace),
            **ours,
        }
