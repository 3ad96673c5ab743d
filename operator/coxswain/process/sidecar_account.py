"""Hands the sidecar the token of its own, weaker account through a memory volume.

The pod mounts no token by itself; the operator asks for one of this account alone, writes it in
one rename, and renews it at half its life. Every replica does so, leader or not.
"""

import asyncio
import os
from pathlib import Path

import structlog

from coxswain.errors import CoxswainError
from coxswain.kube import paths
from coxswain.kube.client import Client

log = structlog.get_logger()

LIFE_SECONDS = 3600
RETRY_SECONDS = 5.0


class SidecarAccount:
    """One account and the folder where its token is wanted."""

    def __init__(self, client: Client, *, namespace: str, account: str, folder: Path) -> None:
        self._client = client
        self._path = paths.of("serviceaccounts", namespace, account, "token")
        self._folder = folder

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            try:
                await self.renew()
                await asyncio.sleep(LIFE_SECONDS / 2)
            except CoxswainError as error:
                log.warning("no token for the sidecar", error=error.message)
                await asyncio.sleep(RETRY_SECONDS)

    async def renew(self) -> None:
        """Ask for a token and put it, with the cluster's certificate, where the sidecar reads it."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": LIFE_SECONDS, "audiences": []},
        }
        answer = await self._client.create(self._path, body)
        ca_file = self._client.credentials.ca_file
        if ca_file is not None:
            _copy(ca_file, self._folder / "ca.crt")
        _write(self._folder / "token", answer["status"]["token"])


def _copy(source: str, file: Path) -> None:
    _write(file, Path(source).read_text())


def _write(file: Path, text: str) -> None:
    """Write in one step, so that a reader sees the old or the new."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text)
    os.replace(fresh, file)
