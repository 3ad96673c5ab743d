"""The tools that a model is offered. What it asks for wrongly it is told; the run goes on."""

import asyncio
from typing import Annotated

from pydantic import Field

from coxswain_agent import files, programs
from coxswain_agent.errors import ToolError
from coxswain_agent.programs import Program
from coxswain_agent.session import Session

MOST_SECONDS = 300
SHOWN_BYTES = 32_768


class Toolbox:
    """One per run; method names are the tools' names, docstrings what the model reads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._commands = 0

    async def list_files(
        self, path: Annotated[str, Field(description="Folder; . is the workspace")] = "."
    ) -> str:
        """List the files of the workspace below a folder, with their sizes."""
        return await asyncio.to_thread(files.listing, self._session.workspace, path)

    async def read_file(
        self,
        path: Annotated[str, Field(description="File, relative to the workspace")],
        offset: Annotated[int, Field(ge=0, description="Byte to begin at")] = 0,
    ) -> str:
        """Read a text file of the workspace."""
        return await asyncio.to_thread(files.read, self._session.workspace, path, offset)

    async def write_file(
        self,
        path: Annotated[str, Field(description="File, relative to the workspace")],
        content: Annotated[str, Field(description="The whole new content")],
    ) -> str:
        """Write a text file of the workspace; an existing one is replaced."""
        async with self._session.acts.recorded("write_file"):
            return await asyncio.to_thread(files.write, self._session.workspace, path, content)

    async def run_command(
        self,
        command: Annotated[
            str | list[str], Field(description="A shell line, or a program and its arguments")
        ],
        timeout_seconds: Annotated[
            int | None, Field(description=f"At most {MOST_SECONDS}; none takes the default")
        ] = None,
    ) -> str:
        """Run a command in the workspace; answers with exit code, standard output and error."""
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else command
        if not argv:
            raise ToolError("the command is empty")
        seconds = self._seconds(timeout_seconds)
        async with self._session.acts.recorded("run_command"):
            return await self._run(argv, seconds)

    def _seconds(self, asked: int | None) -> int:
        if asked is None:
            return self._session.run.limits.command_timeout_seconds
        if not 1 <= asked <= MOST_SECONDS:
            raise ToolError(f"timeout_seconds is {asked}; it must be from 1 to {MOST_SECONDS}")
        return asked

    async def _run(self, argv: list[str], seconds: int) -> str:
        session = self._session
        program = Program(tuple(argv), session.workspace.root, session.environment)
        self._commands += 1
        number = self._commands
        with session.capture("stdout") as stdout, session.capture("stderr") as stderr:
            ended = await programs.run(
                program,
                stdout.feed,
                stderr.feed,
                timeout_seconds=seconds,
                grace=session.settings.grace_seconds,
            )
            for output in (stdout, stderr):
                await session.keep_overflow(output, f"command-{number}-{output.stream}")
            said = f"killed after {seconds} seconds; " if ended.timed_out else ""
            return (
                f"{said}exit code {ended.code}\n"
                f"--- stdout\n{stdout.beginning(SHOWN_BYTES)}\n"
                f"--- stderr\n{stderr.beginning(SHOWN_BYTES)}"
            )
