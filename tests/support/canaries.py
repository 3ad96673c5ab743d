"""Secrets that nobody else has, and where they may have got to."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg

from tests.support.postgres import Database


def _signing() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass
class Canaries:
    """One of each sort that passes through the platform's processes."""

    provider_key: str = field(default_factory=lambda: f"sk-{secrets.token_hex(16)}")
    signing_key: str = field(default_factory=_signing)
    webhook_key: str = field(default_factory=_signing)
    local_token: str = field(default_factory=lambda: secrets.token_hex(16))
    others: dict[str, str] = field(default_factory=dict)
    """What is only known once it is made: API keys, tokens of pods."""

    def all(self, database: Database) -> dict[str, str]:
        """Each by what it is; of signing keys also what stands behind their prefix."""
        found = {
            "provider key": self.provider_key,
            "signing key": self.signing_key.removeprefix("whsec_"),
            "webhook key": self.webhook_key.removeprefix("whsec_"),
            "local token": self.local_token,
            **self.others,
        }
        for role in ("operator", "sidecar", "gateway"):
            found[f"password of {role}"] = str(urlsplit(getattr(database, role)).password)
        return found

    def seen(self, database: Database, outputs: Mapping[str, str]) -> list[str]:
        """Which of them stands in which output, as it is or as a Secret holds it."""
        return [
            f"{what} in {where}"
            for where, text in outputs.items()
            for what, secret in self.all(database).items()
            if secret in text or base64.b64encode(secret.encode()).decode() in text
        ]


async def rows(database: Database) -> str:
    """Everything that stands in a database, as text."""
    connection = await asyncpg.connect(database.admin)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        found = []
        for table in tables:
            # A table's name cannot be a parameter; the server has quoted it.
            text = f"SELECT whole::text AS text FROM {table['name']} AS whole"  # noqa: S608
            found += [row["text"] for row in await connection.fetch(text)]
        return "\n".join(found)
    finally:
        await connection.close()
