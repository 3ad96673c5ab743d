"""A real S3 server of a test process, on loopback; its objects are files in a folder."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from coxswain.store.bucket import Address
from devtools import children, patience, programs
from devtools.pki import Pair

KEY, SECRET = "test-key", "test-secret-of-many-letters"
START_SECONDS = 20.0


@dataclass(frozen=True)
class S3:
    """A server, and one bucket on it that exists."""

    address: Address
    folder: Path

    def keys(self) -> set[str]:
        """The keys of all objects of the bucket."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)) for path in files}

    def with_other_bucket(self) -> "S3":
        """Another bucket of the same server."""
        name = f"bucket-{uuid4().hex[:8]}"
        folder = self.folder.parent / name
        folder.mkdir()
        return S3(replace(self.address, bucket=name), folder)

    def settings(self) -> dict[str, str]:
        """The sidecar's settings for it."""
        return {
            "artifacts_bucket": self.address.bucket,
            "artifacts_endpoint": self.address.endpoint,
            "artifacts_access_key_id": KEY,
            "artifacts_secret_access_key": SECRET,
        }


@contextmanager
def serving(pair: Pair | None = None, *, keeps_tags: bool = False) -> Iterator[S3]:
    """A server for the length of a block, over TLS with a certificate if one is given.

    ``keeps_tags``: with the tags of its objects, which conditional writes compare.
    """
    with tempfile.TemporaryDirectory(prefix="coxswain-s3-") as given:
        root, log = Path(given) / "buckets", Path(given) / "log"
        (root / "first").mkdir(parents=True)
        beside = Path(given) / "tags"
        beside.mkdir()
        port = children.free_port()
        words = [programs.ensure("versitygw") / "versitygw", "--port", f"127.0.0.1:{port}"]
        if pair is not None:
            words += ["--cert", pair.certificate, "--key", pair.key]
        words += ["--quiet", "--access", KEY, "--secret", SECRET, "posix"]
        words += ["--sidecar", beside, root] if keeps_tags else ["--nometa", root]
        child = children.start([str(word) for word in words], log)
        try:
            patience.until(lambda: "" if _answers(port) else "the S3 server", START_SECONDS)
            scheme = "http" if pair is None else "https"
            endpoint = f"{scheme}://127.0.0.1:{port}"
            yield S3(Address(endpoint, "first", "us-east-1", True, KEY, SECRET), root / "first")
        finally:
            children.stop(child)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False
