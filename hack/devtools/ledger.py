"""Reads docs/ledger.md: one row per promise, with what shows that it is kept.

    | id | what it promises, in few words | shown by |

The last cell holds, in backticks, node ids of tests or commands of this repository. A promise that is
kept only in part begins with `part:` and says after `missing:` what is not there yet.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from devtools import places
from devtools.errors import ToolError

LEDGER = places.REPOSITORY / "docs" / "ledger.md"
IDENTIFIER = re.compile(r"^[A-Z][A-Z0-9]*(?:-(?:[A-Z]|\d{3}))?-\d+$")
ROW = re.compile(r"^\|(?P<id>[^|]+)\|(?P<promise>[^|]+)\|(?P<shown>.+)\|\s*$")
PART = re.compile(r"^part:(?P<proofs>.+);\s*missing:(?P<missing>.+)$")


@dataclass(frozen=True)
class Row:
    """One promise."""

    line: int
    id: str
    promise: str
    proofs: tuple[str, ...]
    is_part: bool


def rows(text: str) -> list[Row]:
    """The table's rows; a line that looks like a row and is none is an error."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        matched = ROW.match(line)
        if (
            matched is None
            or matched["id"].strip() in ("id", "")
            or set(matched["id"]) <= set("-: ")
        ):
            continue
        shown = matched["shown"].strip()
        part = PART.match(shown)
        if shown.startswith("part") and part is None:
            raise ToolError(f"docs/ledger.md:{number}: write `part: proof; missing: what`")
        proofs = tuple(re.findall(r"`([^`]+)`", part["proofs"] if part else shown))
        identifier, promise = matched["id"].strip(), matched["promise"].strip()
        found.append(Row(number, identifier, promise, proofs, part is not None))
    return found


def faults(found: list[Row], repository: Path = places.REPOSITORY) -> list[str]:
    """Everything that is wrong with the rows, one sentence each."""
    wrong = []
    for identifier, times in Counter(row.id for row in found).items():
        if times > 1:
            wrong.append(f"{identifier} stands in {times} rows")
    for row in found:
        place = f"docs/ledger.md:{row.line}: {row.id}"
        if not IDENTIFIER.match(row.id):
            wrong.append(f"{place} is not the id of a requirement")
        if not row.proofs:
            wrong.append(f"{place} names no proof in backticks")
        wrong += [
            f"{place} names {proof}, which is not there"
            for proof in row.proofs
            if not exists(proof, repository)
        ]
    return wrong


def counts(found: list[Row]) -> str:
    """How many promises are kept, and how many in part."""
    part = sum(row.is_part for row in found)
    return f"{len(found)} requirements shown: {len(found) - part} whole, {part} in part"


def exists(proof: str, repository: Path = places.REPOSITORY) -> bool:
    """Whether there is such a test, by its node id, or such a command."""
    if "::" not in proof:
        program = repository / proof.split()[0]
        return program.is_file() and program.stat().st_mode & 0o100 != 0
    path, *names = proof.partition("[")[0].split("::")
    file = repository / path
    if not path.startswith("tests/") or not file.is_file():
        return False
    scope: list[ast.stmt] = ast.parse(file.read_text()).body
    for name in names:
        named = [node for node in scope if _is_named(node, name)]
        if not named:
            return False
        node = named[0]
        scope = node.body if isinstance(node, ast.ClassDef) else []
    return names[-1].startswith("test")


def _is_named(node: ast.stmt, name: str) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return isinstance(node, kinds) and node.name == name
