"""Where a model call may go, with which key: decided from the run's route, a Secret and our settings.

The only reader of Secrets, by name and never in lists. A key is held for at most 30 s after it was
read, and never appears in an error, a log line or a repr.
"""

import base64
import binascii
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coxswain import names
from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute, ProviderError
from coxswain.errors import ForbiddenError, NotFoundError, UserError
from coxswain.kube import paths
from coxswain.rules import providers

KEPT_SECONDS = 30.0
KEY_FIELD = "apiKey"
URLS_FIELD = "baseURLs"

ReadObject = Callable[[str], Awaitable[dict[str, Any]]]
IsOn = Callable[[], Awaitable[bool]]


class RefusedError(UserError):
    """The call may not be made as things stand; ``reason`` is the verdict's word for it."""

    def __init__(self, reason: str, provider_error: ProviderError, message: str) -> None:
        super().__init__(message, code=provider_error.value)
        self.reason = reason
        self.provider_error = provider_error


@dataclass(frozen=True)
class Destination:
    """One place to call. ``listed``: the installation allows it also at a private address."""

    provider: Provider
    url: str
    listed: bool
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class _Credentials:
    key: str = field(repr=False)
    urls: frozenset[str]


class Destinations:
    """Finds the destination of a route; one for the whole process."""

    def __init__(
        self,
        read_object: ReadObject,
        *,
        listed_urls: Sequence[str],
        demo: IsOn,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_object = read_object
        self._listed = frozenset(_canonical(listed_urls))
        self._demo = demo
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, _Credentials]] = {}

    def check_chain(self, models: Sequence[ModelRoute]) -> None:
        """Raise RefusedError where models of one Agent may not stand side by side."""
        if providers.demo_beside_real([route.provider for route in models]):
            raise RefusedError(
                "DemoBesideReal",
                ProviderError.NOT_ALLOWED,
                "the demo provider stands beside a real one; take one of them out of spec.models",
            )

    async def find(self, workspace: str, route: ModelRoute) -> Destination:
        """The destination of a route. Raises RefusedError; UnavailableError if nobody can say."""
        if route.provider is Provider.DEMO:
            return await self._demo_place()
        url = route.base_url or providers.DEFAULT_URLS.get(route.provider)
        if url is None:
            raise RefusedError(
                "ProviderUnknown",
                ProviderError.NOT_ALLOWED,
                f"{route.alias}: no provider is called {route.provider}",
            )
        url = _one_url(route, url)
        listed = url in self._listed
        if route.secret_name is None:
            return self._without_key(route, url, listed=listed)
        found = await self._credentials(workspace, route.secret_name)
        if url not in found.urls:
            raise _not_allowed(
                f"{route.alias}: Secret {route.secret_name} may not be sent to {url};"
                f" add it to its {URLS_FIELD}"
            )
        if url.startswith("http://") and not listed:
            raise _not_allowed(
                f"{route.alias}: {url} is not encrypted; only a URL that the installation lists may be"
            )
        return Destination(route.provider, url, listed, found.key)

    async def _demo_place(self) -> Destination:
        if not await self._demo():
            raise RefusedError(
                "ProviderUnknown",
                ProviderError.NOT_ALLOWED,
                "the demo provider is switched off in this installation",
            )
        return Destination(Provider.DEMO, "", listed=False)

    def _without_key(self, route: ModelRoute, url: str, *, listed: bool) -> Destination:
        if listed:
            return Destination(route.provider, url, listed)
        if route.base_url is not None:
            raise _not_allowed(
                f"{route.alias}: {url} is not in the installation's list of base URLs"
                " without credentials; name a Secret, or have it listed"
            )
        raise _missing(
            f"{route.alias}: {route.provider} needs a key; set credentials to a Secret of type"
            f" {names.SECRET_TYPE_PROVIDER} with {KEY_FIELD} and {URLS_FIELD}"
        )

    async def _credentials(self, workspace: str, name: str) -> _Credentials:
        kept = self._kept.get((workspace, name))
        if kept is not None and self._clock() - kept[0] < KEPT_SECONDS:
            return kept[1]
        self._kept.pop((workspace, name), None)
        found = await self._read(workspace, name)
        self._kept[workspace, name] = (self._clock(), found)
        return found

    async def _read(self, workspace: str, name: str) -> _Credentials:
        try:
            secret = await self._read_object(paths.of("secrets", workspace, name))
        except NotFoundError:
            raise _missing(f"Secret {name} is not there") from None
        except ForbiddenError:
            raise _missing(
                f"the model gateway may not read Secrets in {workspace}; is the workspace onboarded?"
            ) from None
        if secret.get("type") != names.SECRET_TYPE_PROVIDER:
            raise RefusedError(
                "CredentialsWrongType",
                ProviderError.CREDENTIALS_MISSING,
                f"Secret {name} is not of type {names.SECRET_TYPE_PROVIDER}",
            )
        data = secret.get("data") or {}
        key = _text(data, KEY_FIELD).strip()
        if not key:
            raise _missing(f"Secret {name} holds no {KEY_FIELD}")
        return _Credentials(key, frozenset(_canonical(_text(data, URLS_FIELD).splitlines())))


def _text(data: Mapping[str, str], name: str) -> str:
    try:
        return base64.b64decode(data.get(name, ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _canonical(urls: Sequence[str]) -> list[str]:
    found = []
    for url in urls:
        try:
            found.append(providers.canonical(url))
        except ValueError:
            continue
    return found


def _one_url(route: ModelRoute, url: str) -> str:
    try:
        return providers.canonical(url)
    except ValueError as error:
        raise _not_allowed(f"{route.alias}: {url} is no URL") from error


def _missing(message: str) -> RefusedError:
    return RefusedError("CredentialsMissing", ProviderError.CREDENTIALS_MISSING, message)


def _not_allowed(message: str) -> RefusedError:
    return RefusedError("BaseURLNotAllowed", ProviderError.NOT_ALLOWED, message)
