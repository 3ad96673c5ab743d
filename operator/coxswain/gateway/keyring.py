"""Keys of a workspace: Secrets of one type, read by name, never listed.

What was read is held for at most 30 s, and appears in no error, log line or repr.
"""

import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from coxswain.errors import ForbiddenError, NotFoundError, UserError
from coxswain.kube import paths

KEPT_SECONDS = 30.0
CURRENT = "key"
PREVIOUS = "previousKey"

ReadObject = Callable[[str], Awaitable[dict[str, Any]]]
T = TypeVar("T")


class KeyUnusableError(UserError):
    """There is no key: the Secret is missing or may not be read, or it is not as it should be."""

    def __init__(self, message: str, *, is_missing: bool) -> None:
        super().__init__(message, code="key_unusable")
        self.is_missing = is_missing


Found: TypeAlias = Mapping[str, str] | KeyUnusableError


class Keyring:
    """Finds the keys in Secrets of one type; one for the whole process.

    A refusal is held for ``refused_seconds``, so that strangers cannot have the API server asked
    again and again.
    """

    def __init__(
        self,
        read_object: ReadObject,
        secret_type: str,
        *,
        refused_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_object = read_object
        self._type = secret_type
        self._refused_seconds = refused_seconds
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Found]] = {}

    async def find(self, workspace: str, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        """The current key, and the previous one while it is kept beside it.

        ``read`` raises ValueError for a text that is no key. Raises KeyUnusableError;
        UnavailableError if nobody can say.
        """
        data = await self._data(workspace, name)
        wanted = [CURRENT, PREVIOUS] if PREVIOUS in data else [CURRENT]
        try:
            return tuple(_key(name, data, each, read) for each in wanted)
        except KeyUnusableError:
            self._read_again_sooner((workspace, name))
            raise

    async def _data(self, workspace: str, name: str) -> Mapping[str, str]:
        place = workspace, name
        at, found = self._kept.get(place, (0.0, None))
        if found is None or self._clock() >= at:
            self._kept.pop(place, None)
            found = await self._read(workspace, name)
            self._keep(place, found)
        if isinstance(found, KeyUnusableError):
            raise found
        return found

    def _keep(self, place: tuple[str, str], found: Found) -> None:
        held = self._refused_seconds if isinstance(found, KeyUnusableError) else KEPT_SECONDS
        self._kept[place] = (self._clock() + held, found)

    def _read_again_sooner(self, place: tuple[str, str]) -> None:
        """What is no key for one caller may be one for another, so the data stays as long as a refusal."""
        at, found = self._kept[place]
        self._kept[place] = (min(at, self._clock() + self._refused_seconds), found)

    async def _read(self, workspace: str, name: str) -> Found:
        try:
            secret = await self._read_object(paths.of("secrets", workspace, name))
        except NotFoundError:
            return KeyUnusableError(f"Secret {name} is not there", is_missing=True)
        except ForbiddenError:
            return KeyUnusableError(
                f"the gateway may not read Secrets in {workspace}; is the workspace onboarded?",
                is_missing=True,
            )
        if secret.get("type") != self._type:
            return KeyUnusableError(f"Secret {name} is not of type {self._type}", is_missing=False)
        return secret.get("data") or {}


def _key(secret: str, data: Mapping[str, str], field: str, read: Callable[[str], T]) -> T:
    if field not in data:
        raise KeyUnusableError(f"Secret {secret} holds no {field}", is_missing=False)
    try:
        return read(base64.b64decode(data[field], validate=True).decode())
    except (UnicodeDecodeError, binascii.Error):
        raise KeyUnusableError(f"{field} of Secret {secret} is no text", is_missing=False) from None
    except ValueError as error:
        raise KeyUnusableError(
            f"{field} of Secret {secret} is no key: {error}", is_missing=False
        ) from None
