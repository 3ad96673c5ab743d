"""The worked example of fencing a Git server: a push under a smaller token than was seen bounces."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.examples import FOLDER

WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, **WHO},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    server, clone = tmp_path / "server.git", tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(server))
    git(server, "config", "receive.advertisePushOptions", "true")
    shutil.copy(FOLDER / "leases" / "pre-receive", server / "hooks" / "pre-receive")
    git(tmp_path, "clone", "--quiet", str(server), str(clone))
    return clone


def push(clone: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Commit and push; a push that bounced leaves the commit to the next one."""
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "more")
    words = [word for option in options for word in ("-o", option)]
    return git(clone, "push", *words, "origin", "HEAD:main")


def test_a_push_under_a_token_that_is_not_the_latest_bounces(clone: Path) -> None:
    assert push(clone, "lease=deploy:7").returncode == 0
    assert push(clone, "lease=deploy:7").returncode == 0
    assert push(clone, "lease=deploy:10").returncode == 0
    stale = push(clone, "lease=deploy:9")
    assert stale.returncode != 0
    assert "token 9 is not the latest; 10 was seen" in stale.stderr
    assert push(clone, "lease=other:1").returncode == 0


@pytest.mark.parametrize("options", [(), ("lease=deploy:x",), ("lease=../up:1",), ("lease=:1",)])
def test_a_push_that_names_no_token_is_told_how(clone: Path, options: tuple[str, ...]) -> None:
    refused = push(clone, *options)
    assert refused.returncode != 0
    assert "push with -o lease=NAME:TOKEN" in refused.stderr
