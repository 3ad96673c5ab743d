"""The installation's bucket in an S3-compatible store: whole objects in, out and away.

Only objects whose keys Postgres keeps are ever touched; nothing is listed. Errors of the client become
ours here and nowhere else.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import obstore
from obstore.exceptions import BaseError, GenericError, NotFoundError
from obstore.store import S3Store

from coxswain.errors import UnavailableError
from coxswain.telemetry import logs

log = logs.get(__name__)

REQUEST_SECONDS = 30
CONNECT_SECONDS = 5
RETRY_SECONDS = 20
RETRIES = 3
NO_ANSWER = "bucket_unavailable"


@dataclass(frozen=True)
class Address:
    """Where the bucket is, and who asks."""

    endpoint: str
    bucket: str
    region: str
    is_path_style: bool
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)

    @property
    def url(self) -> str:
        """What requests are sent to; where the bucket is part of the host's name, with it."""
        parts = urlsplit(self.endpoint)
        host = parts.netloc if self.is_path_style else f"{self.bucket}.{parts.netloc}"
        return urlunsplit(parts._replace(netloc=host)).rstrip("/")


@dataclass(frozen=True)
class Deleted:
    """What came of a deletion of objects, by their keys."""

    gone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """Those that could not be deleted."""
    is_answered: bool = True
    """False: there was no answer to the last of them, and the rest was not tried."""


class Bucket:
    """Connects to nothing before it is needed."""

    def __init__(self, address: Address) -> None:
        self.name = address.bucket
        self._store = S3Store(
            address.bucket,
            endpoint=address.url,
            region=address.region,
            access_key_id=address.access_key_id,
            secret_access_key=address.secret_access_key,
            virtual_hosted_style_request=not address.is_path_style,
            client_options={
                "allow_http": address.endpoint.startswith("http://"),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            },
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            },
        )

    async def put(self, key: str, content: bytes) -> None:
        """Write an object, whole or not at all. Raises UnavailableError."""
        async with _translated("put"):
            # In one request: parts that were never put together would stay where nobody sees them.
            await obstore.put_async(self._store, key, content, use_multipart=False)

    async def get(self, key: str) -> bytes:
        """Read a whole object. Raises UnavailableError, also where it is not there."""
        async with _translated("get"):
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())

    async def delete(self, keys: Sequence[str]) -> Deleted:
        """Delete objects, one after the other; one that is not there is as good as deleted.

        Goes on after one that the store refuses to delete, and ends where nobody answers.
        """
        gone, left = list[str](), list[str]()
        for key in keys:
            try:
                async with _translated("delete"):
                    await self._delete(key)
            except UnavailableError as error:
                left.append(key)
                if isinstance(error.__cause__, GenericError | OSError):
                    return Deleted(tuple(gone), tuple(left), is_answered=False)
            else:
                gone.append(key)
        return Deleted(tuple(gone), tuple(left))

    async def _delete(self, key: str) -> None:
        with suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self._store, key)


@asynccontextmanager
async def _translated(verb: str) -> AsyncIterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        # Its words name host and key: for the log, not for whoever asked.
        log.warning("the bucket does not do what was asked", verb=verb, error=str(error)[:1000])
        raise UnavailableError("the bucket for files does not answer", code=NO_ANSWER) from error
