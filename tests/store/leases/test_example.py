"""The worked example of fencing a Git server: a push bounces unless its token is surely the latest."""

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
    git(server, "config", "coxswain.lease", "deploy")
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
    assert push(clone, f"lease=deploy:{10**18 - 1}").returncode == 0
    assert push(clone, "lease=deploy:11").returncode != 0


@pytest.mark.parametrize(
    "options",
    [
        *[
            (),
            ("lease=deploy:x",),
            ("lease=deploy:",),
            ("lease=deploy:0",),
            ("lease=:1",),
            ("lease",),
        ],
        *[(f"lease=deploy:{10**18}",), (f"lease=deploy:{2**63}",), (f"lease=deploy:{2**64}",)],
        *[("lease=other:1",), ("lease=../up:1",), ("lease=deploy:7", "lease=other:9")],
        ("lease=deploy:7", "lease=deploy:9"),
    ],
)
def test_a_push_that_names_no_token_of_the_repositorys_lease_is_told_how(
    clone: Path, options: tuple[str, ...]
) -> None:
    refused = push(clone, *options)
    assert refused.returncode != 0
    assert "-o lease=deploy:TOKEN" in refused.stderr
    assert git(clone, "ls-remote", "origin", "main").stdout == ""


@pytest.mark.parametrize("seen", ["", "0", "seven", "1\n2", str(10**18), str(2**64)])
def test_where_the_largest_token_cannot_be_read_nothing_is_taken(clone: Path, seen: str) -> None:
    folder = clone.parent / "server.git" / "coxswain-tokens"
    folder.mkdir()
    (folder / "deploy").write_text(seen)
    refused = push(clone, "lease=deploy:7")
    assert refused.returncode != 0
    assert "coxswain-tokens/deploy is damaged" in refused.stderr
    assert (folder / "deploy").read_text() == seen


@pytest.mark.parametrize("name", [None, "", "../up", "Deploy"])
def test_a_repository_without_the_name_of_a_lease_takes_nothing(
    clone: Path, name: str | None
) -> None:
    server = clone.parent / "server.git"
    git(server, "config", "--unset", "coxswain.lease")
    if name is not None:
        git(server, "config", "coxswain.lease", name)
    refused = push(clone, "lease=deploy:7")
    assert refused.returncode != 0
    assert "coxswain.lease" in refused.stderr
