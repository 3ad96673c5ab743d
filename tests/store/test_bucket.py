"""The bucket itself: where requests go, and whom they trust."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from obstore.exceptions import GenericError, PermissionDeniedError
from typing_extensions import override

from coxswain.store.bucket import Address, Bucket, Deleted
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
        keys = ("nothing", "k", "coxswain/nothing")
        assert await bucket.delete(keys) == Deleted(gone=keys)
        assert server.keys() == set()


class Refusing(Bucket):
    """Its store has one object that it does not give away, or does not answer about."""

    error: Exception = PermissionDeniedError("held")

    @override
    async def _delete(self, key: str) -> None:
        if key == "held":
            raise self.error
        await super()._delete(key)


async def test_one_object_that_is_refused_does_not_keep_the_others() -> None:
    with s3.serving() as server:
        bucket = Refusing(server.address)
        for key in ("a", "held", "b"):
            await bucket.put(key, b"x")
        done = await bucket.delete(("a", "held", "b"))
        assert done == Deleted(gone=("a", "b"), left=("held",))
        assert server.keys() == {"held"}


async def test_where_nobody_answers_the_rest_is_not_tried() -> None:
    with s3.serving() as server:
        bucket = Refusing(server.address)
        bucket.error = GenericError("no answer")
        done = await bucket.delete(("a", "held", "b"))
        assert done == Deleted(gone=("a",), left=("held",), is_answered=False)


async def test_a_store_that_is_away_is_no_refusal() -> None:
    bucket = Bucket(Address("http://127.0.0.1:1", "files", "r", True, "k", "s"))
    assert await bucket.delete(("a", "b")) == Deleted(left=("a",), is_answered=False)


async def test_keys_that_may_not_delete_are_a_refusal_of_each() -> None:
    with s3.serving() as server:
        bucket = Bucket(replace(server.address, secret_access_key="wrong"))
        assert await bucket.delete(("a", "b")) == Deleted(left=("a", "b"))
