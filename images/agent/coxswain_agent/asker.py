"""Puts prompts to the model, and imports its library only where one does."""

import asyncio
from importlib import import_module
from pathlib import Path

from coxswain.api.contract import RunResult
from coxswain_agent.errors import WorkError
from coxswain_agent.session import Session


class Asker:
    """Asks the model; all that one run asks counts together against its limits."""

    def __init__(self) -> None:
        self._usage: object = None

    async def ask(self, opened: Session, question: str) -> RunResult:
        """Put a prompt to the model, until there is an answer."""
        # The model library takes a second or two to import; a command does not pay for it.
        prompt = await asyncio.to_thread(import_module, "coxswain_agent.prompt")
        if self._usage is None:
            self._usage = prompt.RunUsage()
        answered: RunResult = await prompt.work(
            opened, question, _instructions(opened), self._usage
        )
        return answered


def _instructions(opened: Session) -> str | None:
    file = opened.run.instructions_file
    if file is None:
        return opened.run.instructions
    try:
        return (opened.settings.instructions / Path(file).name).read_text()
    except OSError as error:
        raise WorkError("InstructionsMissing", f"instructions cannot be read: {error}") from error
