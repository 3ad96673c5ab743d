"""Logins for the three roles of the schema, where the installation wants us to make them.

The bundled Postgres has one user with CREATEROLE, which owns the database; ``migrate`` gives the
roles their passwords. In production an administrator makes login roles that are members of
coxswain_operator, coxswain_sidecar and coxswain_gateway, and gives no passwords here.
"""

import base64
import hashlib
import hmac
import secrets

import asyncpg

from coxswain.store import failures

OPERATOR = "coxswain_operator"
SIDECAR = "coxswain_sidecar"
GATEWAY = "coxswain_gateway"
_ROUNDS = 4096


async def give_login(
    connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str
) -> None:
    """Let a role log in with this password; the server sees only its hash, so no log can hold it."""
    with failures.translated():
        # A role's name and password cannot be parameters; format quotes them.
        statement = await connection.fetchval(
            "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)",
            role,
            verifier(password, secrets.token_bytes(16)),
        )
        await connection.execute(statement)


def verifier(password: str, salt: bytes) -> str:
    """What Postgres keeps of a password: its SCRAM-SHA-256 verifier (RFC 5803)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
