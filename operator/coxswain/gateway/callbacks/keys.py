"""The signing keys of a workspace: a Secret of type coxswain.dev/signing, read by name, never listed.

A key is held for at most 30 s after it was read, and appears in no error, log line or repr.
"""

import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from coxswain import names
from coxswain.errors import ForbiddenError, NotFoundError, UserError
from coxswain.kube import paths
from coxswain.rules import signing
from coxswain.rules.callbacks import Skip
from coxswain.rules.signing import SigningKey

KEPT_SECONDS = 30.0
CURRENT = "key"
PREVIOUS = "previousKey"

ReadObject = Callable[[str], Awaitable[dict[str, Any]]]
Kept = tuple[float, tuple[SigningKey, ...]]


class RefusedError(UserError):
    """There is no key to sign with; ``reason`` is the delivery's word for it."""

    def __init__(self, reason: Skip, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SigningKeys:
    """Finds the keys of a Secret; one for the whole process."""

    def __init__(
        self, read_object: ReadObject, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read_object = read_object
        self._clock = clock
        self._kept: dict[tuple[str, str], Kept] = {}

    async def find(self, workspace: str, name: str) -> tuple[SigningKey, ...]:
        """The current key, and the previous one while it is kept beside it.

        Raises RefusedError; UnavailableError if nobody can say.
        """
        kept = self._kept.get((workspace, name))
        if kept is not None and self._clock() - kept[0] < KEPT_SECONDS:
            return kept[1]
        self._kept.pop((workspace, name), None)
        found = await self._read(workspace, name)
        self._kept[workspace, name] = (self._clock(), found)
        return found

    async def _read(self, workspace: str, name: str) -> tuple[SigningKey, ...]:
        try:
            secret = await self._read_object(paths.of("secrets", workspace, name))
        except NotFoundError:
            raise RefusedError(Skip.SECRET_MISSING, f"Secret {name} is not there") from None
        except ForbiddenError:
            raise RefusedError(
                Skip.SECRET_MISSING,
                f"the gateway may not read Secrets in {workspace}; is the workspace onboarded?",
            ) from None
        if secret.get("type") != names.SECRET_TYPE_SIGNING:
            raise RefusedError(
                Skip.SECRET_INVALID, f"Secret {name} is not of type {names.SECRET_TYPE_SIGNING}"
            )
        data = secret.get("data") or {}
        wanted = [CURRENT, PREVIOUS] if PREVIOUS in data else [CURRENT]
        return tuple(_key(name, data, each) for each in wanted)


def _key(secret: str, data: Mapping[str, str], field: str) -> SigningKey:
    if field not in data:
        raise RefusedError(Skip.SECRET_INVALID, f"Secret {secret} holds no {field}")
    try:
        return signing.read(base64.b64decode(data[field], validate=True).decode())
    except (UnicodeDecodeError, binascii.Error):
        raise RefusedError(Skip.SECRET_INVALID, f"{field} of Secret {secret} is no text") from None
    except ValueError as error:
        raise RefusedError(
            Skip.SECRET_INVALID, f"{field} of Secret {secret} is no key: {error}"
        ) from None
