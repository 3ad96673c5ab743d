"""Reads docs/fault-rows.md: the faults that the platform is to stand, and what plays each.

    | 44 | a leader is frozen beyond its lease | `tests/faults/plans/leaders/frozen-before-a-pod.yaml` |

The last cell is as in the ledger, where a plan is named by its file; or ``not yet:`` and why nothing plays it.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from devtools import ledger, places

PAGE = places.REPOSITORY / "docs" / "fault-rows.md"
WANTED = 110
ROW = re.compile(r"^\| (?P<number>\d+) \| (?P<fault>[^|]+) \| (?P<shown>[^|]+) \|$", re.M)
NOT = re.compile(r"^not yet: \S")
PLANS = "tests/faults/plans/"


@dataclass(frozen=True)
class Row:
    """One fault. ``state`` is whole, part, or none."""

    number: int
    state: str
    proofs: tuple[str, ...]


def rows(text: str) -> list[Row]:
    """Those of the page, in its order."""
    return [_row(int(each["number"]), each["shown"]) for each in ROW.finditer(text)]


def _row(number: int, shown: str) -> Row:
    state = "part" if ledger.PART.match(shown) else "none" if NOT.match(shown) else "whole"
    return Row(number, state, tuple(re.findall(r"`([^`]+)`", shown)))


def counts(found: list[Row]) -> str:
    """How many are played: the sentence that stands above the table."""
    states = Counter(each.state for each in found)
    return (
        f"Of {len(found)} faults {states['whole']} are played whole, {states['part']} in part,"
        f" and {states['none']} by nothing yet."
    )


def faults(text: str, repository: Path = places.REPOSITORY) -> list[str]:
    """Everything that is wrong with the page, one sentence each."""
    found = rows(text)
    wrong = []
    if [each.number for each in found] != list(range(1, WANTED + 1)):
        wrong.append(f"docs/fault-rows.md: its rows are not 1 to {WANTED}, each once and in order")
    if counts(found) not in text:
        wrong.append(f"docs/fault-rows.md: it does not say: {counts(found)}")
    for row in found:
        place = f"docs/fault-rows.md: row {row.number}"
        if row.state != "none" and not row.proofs:
            wrong.append(f"{place} names nothing in backticks that plays it")
        wrong += [
            f"{place} names {proof}, which is not there"
            for proof in row.proofs
            if not _exists(proof, repository)
        ]
    return wrong


def _exists(proof: str, repository: Path) -> bool:
    if proof.startswith(PLANS):
        return (repository / proof).is_file()
    return ledger.exists(proof, repository)
