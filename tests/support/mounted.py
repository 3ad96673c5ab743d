"""A certificate as the kubelet mounts it from a Secret: a new one takes its place in one step."""

import asyncio
import shutil
import ssl
from itertools import count
from pathlib import Path

from coxswain.web.certificates import Pair
from devtools import pki


class Mounted:
    """A folder with tls.crt and tls.key, which lead through ``..data`` to a folder of one version."""

    def __init__(self, folder: Path, first: pki.Pair) -> None:
        folder.mkdir()
        self._folder = folder
        self._versions = count(1)
        self.put(first.certificate.read_bytes(), first.key.read_bytes())
        for name in ("tls.crt", "tls.key"):
            (folder / name).symlink_to(Path("..data") / name)

    @property
    def pair(self) -> Pair:
        """Where a server finds it."""
        return Pair(self._folder / "tls.crt", self._folder / "tls.key")

    def put(self, certificate: bytes, key: bytes) -> None:
        """Swap the content, as the kubelet does."""
        version = self._folder / f"..version-{next(self._versions)}"
        version.mkdir()
        (version / "tls.crt").write_bytes(certificate)
        (version / "tls.key").write_bytes(key)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self._folder / "..data")
        for old in self._folder.glob("..version-*"):
            if old != version:
                shutil.rmtree(old)


async def shown(port: int) -> bytes:
    """The certificate that a server on loopback shows to somebody new, as PEM."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return ssl.DER_cert_to_PEM_cert(found).encode()
