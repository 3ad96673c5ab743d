"""kopf as the host: credentials, watch streams, and the events that they bring. It keeps no state.

Only startup, cleanup, login, probe and event handlers are ever registered, so kopf writes nothing:
no annotation, no finalizer, no patch.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from typing import Any, cast

import kopf
from typing_extensions import override

from coxswain import names
from coxswain.kube.credentials import TOKEN_READ_SECONDS, Credentials
from coxswain.settings import OperatorSettings

ENTRY_POINTS = "coxswain.controllers"
LONGEST_BACKOFF_SECONDS = 30.0
LIST_PAGE = 500
"""Objects that kopf reads at once. Without it a list comes whole, and is decoded while nothing else runs."""


class EndlessBackoffs:
    """Waits between repeats of a watch: doubling to a bound, with jitter, without an end."""

    def __iter__(self) -> Iterator[float]:
        """Start again from the shortest wait."""
        top = 0.5
        while True:
            yield top * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
            top = min(LONGEST_BACKOFF_SECONDS, top * 2)


class NoProgress(kopf.ProgressStorage):
    """Keeps nothing of any handler: event handlers have no progress."""

    @override
    def fetch(self, *, key: Any, body: Any) -> None:
        return None

    @override
    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:
        return None

    @override
    def purge(self, *, key: Any, body: Any, patch: Any) -> None:
        return None

    @override
    def touch(self, *, body: Any, patch: Any, value: Any) -> None:
        return None

    @override
    def clear(self, *, essence: Any) -> Any:
        return essence


class NoEssence(kopf.DiffBaseStorage):
    """Remembers no former state of any object, and copies none to compare with: nobody asks."""

    @override
    def build(self, *, body: Any, extra_fields: Any = None) -> Any:
        return {}

    @override
    def fetch(self, *, body: Any) -> None:
        return None

    @override
    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        return None


def room_modules() -> list[Any]:
    """The handler modules of all rooms, found by entry point."""
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda each: each.name)
    return [each.load() for each in found]


def registry(credentials: Credentials, modules: Iterable[Any]) -> kopf.OperatorRegistry:
    """A registry with the rooms' event handlers and our login."""
    made = kopf.OperatorRegistry()
    for module in modules:
        module.register(made)

    @kopf.on.login(registry=made)  # type: ignore[untyped-decorator, unused-ignore]
    def log_in(**_: Any) -> kopf.ConnectionInfo:
        return connection(credentials)

    return made


def connection(credentials: Credentials) -> kopf.ConnectionInfo:
    """Our credentials as kopf wants them; a token from a file is asked for again when it is old."""
    expiration = None
    if credentials.token_file is not None:
        expiration = datetime.now(UTC) + timedelta(seconds=TOKEN_READ_SECONDS)
    return kopf.ConnectionInfo(
        server=credentials.url,
        ca_path=credentials.ca_file,
        certificate_path=credentials.cert_file,
        private_key_path=credentials.key_file,
        scheme="Bearer" if credentials.token() else None,
        token=credentials.token(),
        expiration=expiration,
    )


def settings() -> kopf.OperatorSettings:
    """Settings of kopf; the reasons stand in docs/decisions."""
    made = kopf.OperatorSettings()
    made.peering.standalone = True
    made.posting.enabled = False
    made.posting.loggers = False
    made.scanning.disabled = True
    made.watching.chunk_size = LIST_PAGE
    made.watching.server_timeout = 300
    made.watching.client_timeout = 330
    made.watching.connect_timeout = 10
    made.watching.inactivity_timeout = 70
    made.networking.connect_timeout = 5
    made.networking.request_timeout = 30
    made.networking.error_backoffs = EndlessBackoffs()
    made.networking.enforce_retry_after = False
    made.queueing.error_delays = (1, 2, 5, 10, 30)
    made.queueing.idle_timeout = 1
    made.persistence.finalizer = names.FINALIZER
    made.persistence.progress_storage = NoProgress()
    made.persistence.diffbase_storage = NoEssence()
    made.process.ultimate_exiting_timeout = 20
    return made


async def run(
    made: kopf.OperatorRegistry,
    loaded: OperatorSettings,
    memo: object,
    on_started: Callable[[], None],
) -> None:
    """Watch until cancelled or until a stream ends in a way that kopf cannot mend, and raise that at once.

    kopf's own end would first wait for five seconds for every task of this process that is younger
    than it, and then cancel them all: so long a leader would act and hear nothing. What kopf still runs
    is left to the end of the process, which follows.

    ``on_started`` is called in the same moment in which kopf has installed its signal handlers, so
    that there is none in which a signal ends kopf alone.
    """
    tasks = await kopf.spawn_tasks(
        registry=made,
        settings=settings(),
        # Its own guess asks for the name of the user, which a container may not have.
        identity=cast("Any", loaded.identity),
        memo=memo,
        standalone=True,
        clusterwide=True,
    )
    on_started()
    ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for each in ended:
        if not each.cancelled():
            each.result()
