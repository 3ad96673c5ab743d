"""Asks every process of an installation how it is, by notifications of Postgres; each answers for itself.

Nothing is kept. Who listens and does not answer in time is silent; who does not listen is not there.
"""

import asyncio
import json
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import ValidationError

from coxswain import __version__
from coxswain.api.standing import Role, Standing
from coxswain.errors import CoxswainError, UnavailableError
from coxswain.store import sessions
from coxswain.store.listener import Listener, notify
from coxswain.store.pool import Store
from coxswain.telemetry import logs
from coxswain.web import health
from coxswain.web.health import Health
from coxswain.web.kept import Kept

log = logs.get(__name__)

QUESTIONS = "coxswain_roll_call"
ANSWERS = "coxswain_roll_answers"
# A process that finds something hanging says so after two seconds.
WAIT_SECONDS = 2.5
KEPT_SECONDS = 1.0


@dataclass(frozen=True)
class Presence:
    """Who a process is to the others."""

    component: str
    replica: str = field(default_factory=socket.gethostname)
    id: str = field(default_factory=lambda: secrets.token_hex(6))

    def listener(self, dsn: str, channels: Sequence[str] = ()) -> Listener:
        """The one listening connection of the process; others see by it that the process is there.

        Who is to take a roll call hears ANSWERS, too.
        """
        heard = (*channels, QUESTIONS)
        return Listener(dsn, heard, sessions.name(self.component, self.id))

    async def standing(self, state: Health, role: Role) -> Standing:
        """How it is now."""
        answers = await state.look()
        return Standing(
            component=self.component,
            replica=self.replica,
            id=self.id,
            version=__version__,
            role=role,
            ready=state.is_ready(answers),
            broken=health.broken(answers),
        )


class Answering:
    """Answers for this process; ``run`` is a task of it."""

    def __init__(
        self, store: Store, listener: Listener, standing: Callable[[], Awaitable[Standing]]
    ) -> None:
        self._store = store
        self._standing = standing
        self._listener = listener

    async def run(self) -> None:
        """Answer until cancelled."""
        with self._listener.hear(QUESTIONS) as questions:
            while True:
                await self._answer(await questions.get())

    async def _answer(self, question: str) -> None:
        standing = await self._standing()
        said = {"question": question, "standing": standing.model_dump(mode="json")}
        try:
            await self._store.run(notify, ANSWERS, json.dumps(said))
        except CoxswainError as error:
            log.warning("a roll call is not answered", code=error.code)


@dataclass(frozen=True)
class Roll:
    """Who answered, and the component of each who did not, by the id of its process."""

    answered: Sequence[Standing]
    silent: Mapping[str, str]


class RollCall:
    """Asks; whoever asks at the same time, or within a second, gets the same answer."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store = store
        self._listener = listener
        self._kept = Kept(self._ask, KEPT_SECONDS)

    async def take(self) -> Roll:
        """Every process that listens.

        Raises UnavailableError while the database does not answer, or this process hears nothing.
        """
        return await self._kept.get()

    async def _ask(self) -> Roll:
        expected = await self._store.run(sessions.listening)
        question = secrets.token_hex(8)
        answers: dict[str, Standing] = {}
        with self._listener.hear(ANSWERS) as said, suppress(TimeoutError):
            await self._store.run(notify, QUESTIONS, question)
            async with asyncio.timeout(WAIT_SECONDS):
                while not expected.keys() <= answers.keys():
                    standing = _answer_to(question, await said.get())
                    if standing is not None:
                        answers[standing.id] = standing
        if not answers:
            raise UnavailableError("this process hears no notification, not even its own")
        silent = {key: expected[key] for key in expected.keys() - answers.keys()}
        return Roll(tuple(answers.values()), silent)


def _answer_to(question: str, text: str) -> Standing | None:
    """How a process says that it is; None where it answers somebody else."""
    try:
        said = json.loads(text)
        if said["question"] != question:
            return None
        return Standing.model_validate(said["standing"])
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        log.warning("an answer to a roll call cannot be read", error=type(error).__name__)
        return None
