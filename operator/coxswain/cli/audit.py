"""``coxswain-audit verify``: checks an export of the audit log offline, with public keys of one's own.

0 the export is sound, 1 it is not, 2 a wrong call. It reads its files and nothing else.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from coxswain.rules import audit_keys, audit_proof
from coxswain.rules.audit_keys import PublicKey
from coxswain.rules.audit_proof import Head, Verdict


class _CallError(Exception):
    """A file that the caller named cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, or the process's own."""
    given = _parser().parse_args(arguments)
    try:
        verdict = _verified(given)
    except _CallError as error:
        sys.stderr.write(f"coxswain-audit: {error}\n")
        return 2
    sys.stdout.write(_told(verdict))
    return 0 if verdict.is_sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coxswain-audit", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    verify = verbs.add_parser("verify", help="check an export of the audit log")
    verify.add_argument("file", type=Path, help="the export, JSON Lines")
    verify.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        help="file with public keys in hexadecimal, one a line; give it again for more",
    )
    verify.add_argument(
        "--after", type=Path, help="an earlier export: this one must go on from its last seals"
    )
    verify.add_argument(
        "--allow-dropped",
        action="store_true",
        help="take it that rows were dropped by retention; it is told all the same",
    )
    return parser


def _verified(given: argparse.Namespace) -> Verdict:
    keys = [key for path in given.key for key in _keys(path)]
    former = {} if given.after is None else _heads(given.after)
    try:
        with given.file.open(encoding="utf-8") as lines:
            return audit_proof.verify(lines, keys, former, allow_dropped=given.allow_dropped)
    except (OSError, UnicodeDecodeError) as error:
        raise _CallError(f"{given.file} cannot be read: {error}") from error


def _keys(path: Path) -> Sequence[PublicKey]:
    try:
        found = audit_keys.read_public(path.read_text())
    except (OSError, ValueError) as error:
        raise _CallError(f"{path} is no file of public keys: {error}") from error
    if not found:
        raise _CallError(f"{path} holds no key")
    return found


def _heads(path: Path) -> dict[str, Head]:
    try:
        with path.open(encoding="utf-8") as lines:
            return dict(audit_proof.heads_of(lines))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _CallError(f"{path} is no export: {error}") from error


def _told(verdict: Verdict) -> str:
    lines = [f"WRONG  {flaw}" for flaw in verdict.flaws]
    lines += [f"note   {note}" for note in verdict.notes]
    lines += [
        f"head   {workspace or '-'} seal {head.number} {head.digest}"
        for workspace, head in sorted(verdict.heads.items())
    ]
    asked = " ".join(f"{name}={value}" for name, value in sorted(verdict.asked.items()))
    lines.append(f"asked  {asked or 'everything'}")
    lines.append(
        f"seals {verdict.seals}, rows {verdict.rows}, left out {verdict.omitted},"
        f" dropped {verdict.dropped}, not sealed yet {verdict.unsealed}"
    )
    lines.append("sound" if verdict.is_sound else "NOT SOUND")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
