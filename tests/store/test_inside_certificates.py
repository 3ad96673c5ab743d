"""The program of the chart that makes certificates for inside the cluster, run again and again as it will be."""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from coxswain.web import server
from coxswain.web.certificates import Certificate, Pair
from coxswain.web.server import Opening
from tests.support import chart

AUTHORITY = "coxswain-inside-authority"
MODELS, EGRESS = "coxswain-inside-models", "coxswain-inside-egress"
WANTED = {MODELS: ["coxswain-models.home.svc"], EGRESS: ["coxswain-egress.home.svc"]}
PROGRAM = (chart.CHART / "files" / "make_certificate.py").read_text()


@dataclass
class Home:
    """Secrets of an installation as folders: what stands, as the kubelet mounts it."""

    folder: Path

    @property
    def standing(self) -> Path:
        return self.folder / "standing"

    def run(self, wanted: dict[str, list[str]], program: str = PROGRAM) -> set[str]:
        """Run the program once, and put in its place what it made; the names of that."""
        made = self.folder / "made"
        made.mkdir()
        self.standing.mkdir(exist_ok=True)
        given = {
            "FOLDER": str(made),
            "AUTHORITY": AUTHORITY,
            "STANDING": str(self.standing),
            "WANTED": json.dumps(wanted),
        }
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **given}, check=True, text=True
        )
        found = {each.name for each in made.iterdir()}
        for name in found:
            shutil.rmtree(self.standing / name, ignore_errors=True)
            shutil.move(made / name, self.standing / name)
        made.rmdir()
        return found

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts what a Secret says."""
        context = ssl.create_default_context(cafile=str(self.standing / MODELS / "ca.crt"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_at_first_all_is_made_and_a_repeat_makes_nothing(home: Home) -> None:
    assert home.run(WANTED) == {AUTHORITY, MODELS, EGRESS}
    assert home.run(WANTED) == set()


def test_a_run_that_was_killed_is_finished_by_the_next_with_the_same_signer(home: Home) -> None:
    home.run(WANTED)
    signer = (home.standing / AUTHORITY / "tls.crt").read_bytes()
    shutil.rmtree(home.standing / EGRESS)
    assert home.run(WANTED) == {EGRESS}
    assert (home.standing / EGRESS / "ca.crt").read_bytes() == signer
    assert (home.standing / AUTHORITY / "tls.crt").read_bytes() == signer


def test_what_ends_within_a_month_is_made_anew_with_a_new_key(home: Home) -> None:
    short = PROGRAM.replace("INSIDE_DAYS = 90", "INSIDE_DAYS = 30")
    assert short != PROGRAM
    home.run(WANTED, short)
    key = (home.standing / MODELS / "tls.key").read_bytes()
    assert home.run(WANTED) == {MODELS, EGRESS}
    assert (home.standing / MODELS / "tls.key").read_bytes() != key


@pytest.mark.parametrize("names", [["another.home.svc"], [*WANTED[MODELS], "more"]])
def test_a_certificate_with_other_names_is_made_anew(home: Home, names: list[str]) -> None:
    home.run(WANTED)
    assert home.run({**WANTED, MODELS: names}) == {MODELS}


def test_under_a_new_authority_all_are_made_anew(home: Home) -> None:
    home.run(WANTED)
    shutil.rmtree(home.standing / AUTHORITY)
    assert home.run(WANTED) == {AUTHORITY, MODELS, EGRESS}


def test_a_certificate_that_is_none_is_made_anew(home: Home) -> None:
    home.run(WANTED)
    (home.standing / MODELS / "tls.crt").write_text("none")
    assert home.run(WANTED) == {MODELS}


def test_an_authority_that_is_none_makes_nothing_new(home: Home) -> None:
    home.run(WANTED)
    (home.standing / AUTHORITY / "tls.crt").write_text("none")
    with pytest.raises(subprocess.CalledProcessError):
        home.run(WANTED)
    assert list((home.folder / "made").iterdir()) == []


def test_no_key_of_the_authority_is_in_what_a_process_mounts(home: Home) -> None:
    home.run(WANTED)
    key = (home.standing / AUTHORITY / "tls.key").read_bytes()
    for name in WANTED:
        found = {each.name: each.read_bytes() for each in (home.standing / name).iterdir()}
        assert set(found) == {"ca.crt", "tls.crt", "tls.key"}
        assert key not in found.values()


async def test_a_renewed_certificate_is_good_for_who_trusted_the_first(home: Home) -> None:
    home.run(WANTED, PROGRAM.replace("INSIDE_DAYS = 90", "INSIDE_DAYS = 30"))
    trusting = home.trusting()
    assert home.run(WANTED) == {MODELS, EGRESS}
    place = home.standing / MODELS
    certificate = Certificate(Pair(place / "tls.crt", place / "tls.key"))
    wanted = [Opening(0, certificate.context)]
    async with server.serving_all(
        web.Application(), "127.0.0.1", wanted, drain_seconds=0.1
    ) as ports:
        await _says_hello(ports[0], trusting, "coxswain-models.home.svc")
        with pytest.raises(ssl.SSLCertVerificationError, match="coxswain-egress"):
            await _says_hello(ports[0], trusting, "coxswain-egress.home.svc")


async def _says_hello(port: int, trusting: ssl.SSLContext, name: str) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=name)
    writer.close()
