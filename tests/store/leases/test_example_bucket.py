"""The worked example of fencing an S3 object: a write bounces unless its token is surely the latest."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import aws, s3
from tests.support.examples import FOLDER
from tests.support.s3 import S3

KEY = "state.json"
# Who is to be overtaken has looked, and then another one writes.
PROGRAM = f"""#!/bin/sh
aws() {{ {sys.executable} {aws.__file__} "$@"; }}
if [ "$2" = put-object ] && [ -e "$OVERTAKES" ]; then
    aws s3api put-object --bucket "$BUCKET" --key {KEY} --body "$OVERTAKES"
fi
aws "$@"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3.serving(keeps_tags=True) as started:
        yield started


@dataclass(frozen=True)
class Place:
    """A bucket of one test."""

    bucket: S3
    folder: Path

    def put(self, token: str, n: int) -> subprocess.CompletedProcess[str]:
        """Write a state under a token, as the example does."""
        (self.folder / "mine").write_text(json.dumps({"n": n}))
        address = self.bucket.address
        given = {
            "AWS_ENDPOINT_URL": address.endpoint,
            "AWS_REGION": address.region,
            "AWS_ACCESS_KEY_ID": s3.KEY,
            "AWS_SECRET_ACCESS_KEY": s3.SECRET,
            "BUCKET": address.bucket,
            "OVERTAKES": str(self.folder / "others"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }
        program = FOLDER / "leases" / "put-object"
        return subprocess.run(
            [program, address.bucket, KEY, self.folder / "mine", token],
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )

    def is_overtaken_by(self, token: str, n: int) -> None:
        """Another one writes between the look and the write of each from now on."""
        text = json.dumps({"n": n, "leaseToken": token}, indent=2)
        (self.folder / "others").write_text(f"{text}\n")

    @property
    def state(self) -> dict[str, object]:
        """What the object says."""
        found: dict[str, object] = json.loads((self.bucket.folder / KEY).read_text())
        return found


@pytest.fixture
def place(server: S3, tmp_path: Path) -> Place:
    program = tmp_path / "bin" / "aws"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    return Place(server.with_other_bucket(), tmp_path)


def test_a_write_under_a_token_that_is_not_the_latest_is_refused(place: Place) -> None:
    for n, token in enumerate(("7", "7", "10")):
        assert place.put(token, n).returncode == 0
    stale = place.put("9", 3)
    assert stale.returncode != 0
    assert "token 9 is not the latest; 10 was seen" in stale.stderr
    assert place.put("nine", 3).returncode != 0
    assert place.state == {"n": 2, "leaseToken": "10"}


@pytest.mark.parametrize("n", [None, 1, 2], ids=["none", "other", "same"])
def test_a_write_that_a_later_holder_has_overtaken_is_refused(place: Place, n: int | None) -> None:
    if n is not None:
        assert place.put("6", 2).returncode == 0
    place.is_overtaken_by("8", n or 2)
    assert place.put("7", 3).returncode != 0
    assert place.state == {"n": n or 2, "leaseToken": "8"}
