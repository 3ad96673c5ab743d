"""The bucket itself: where requests go, and whom they trust."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from coxswain.store.bucket import Address, Bucket
from devtools.pki import Authority
from tests.support import s3

OVER_TLS = """
import asyncio, sys
from coxswain.store.bucket import Address, Bucket

async def main():
    bucket = Bucket(Address(sys.argv[1], "first", "us-east-1", True, sys.argv[2], sys.argv[3]))
    await bucket.put("k", b"over TLS")
    print((await bucket.get("k")).decode())

asyncio.run(main())
"""


def test_a_store_over_tls_must_be_one_that_the_machine_trusts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", "server", hosts=["127.0.0.1"])

    def run(endpoint: str, **trusted: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", OVER_TLS, endpoint, s3.KEY, s3.SECRET],
            env={**os.environ, **trusted},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    with s3.serving(pair) as secure:
        refused = run(secure.address.endpoint)
        assert refused.returncode != 0
        assert secure.keys() == set()
        taken = run(secure.address.endpoint, SSL_CERT_FILE=str(authority.certificate))
    assert taken.stdout.strip().endswith("over TLS")


def test_the_name_of_a_bucket_is_in_the_path_or_in_the_host() -> None:
    path = Address("https://s3.example.com:8443/", "files", "r", True, "k", "s")
    host = replace(path, is_path_style=False)
    assert (path.url, host.url) == (
        "https://s3.example.com:8443",
        "https://files.s3.example.com:8443",
    )


async def test_deleting_what_is_not_there_is_no_failure() -> None:
    with s3.serving() as server:
        bucket = Bucket(server.address)
        await bucket.put("k", b"x")
        await bucket.delete(("nothing", "k", "coxswain/nothing"))
        assert server.keys() == set()
