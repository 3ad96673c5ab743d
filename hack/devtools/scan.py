"""Looks through every tracked file for what must never be in the repository: keys, machine paths, indexes.

The patterns are written so that they do not match this file itself. What is meant to look like a key, such
as that of a test, says so: the word canary is in it, or the line ends with `scan: canary`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools import places, shell

CANARY = "scan: canary"
LARGEST = 2_000_000

SECRETS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE" r" KEY-----",
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    "GitHub fine-grained token": r"\bgithub_pat_[A-Za-z0-9_]{50,}\b",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "OpenAI or Anthropic key": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"{}$<>%]+:[^\s@/'\"{}$<>%]{6,}@[^\s'\"]",
    "assigned secret": r"(?i)\b(?:api_?key|secret_?key|access_?token|passw(?:or)?d)\b['\"]?\s*[:=]\s*"
    r"['\"][A-Za-z0-9+/_=-]{16,}['\"]",
}

WORDS = {
    "host of a package index": r"(?i)\b(?:pypi\.org|pythonhosted\.org|npmjs\.org|registry\.yarnpkg"
    r"|proxy\.golang|sum\.golang|crates\.io)\b",
    "path of somebody's machine": r"(?<![\w./-])/(?:work/[a-z]|root/\.pyenv|home/[a-z]+/|Users/[A-Za-z])",
    "number of an issue": r"(?i)\bissue #?\d",
    "left open": r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b",
}

BINARY = (".png", ".ico", ".woff2")


@dataclass(frozen=True)
class Finding:
    """One place that must change. The matched text is not shown: it may be a real key."""

    path: str
    line: int
    what: str

    def text(self) -> str:
        """As compilers write it."""
        return f"{self.path}:{self.line}: {self.what}"


def tracked() -> list[Path]:
    """Every file that git tracks or would add."""
    listed = shell.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=places.REPOSITORY,
    )
    paths = [places.REPOSITORY / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def find(text: str, patterns: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Line numbers and names of what matches."""
    compiled = {name: re.compile(pattern) for name, pattern in patterns.items()}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.rstrip().endswith(CANARY):
            continue
        for name, pattern in compiled.items():
            matched = pattern.search(line)
            if matched and "canary" not in matched.group().lower():
                yield number, name


def repository(patterns: dict[str, str]) -> list[Finding]:
    """What is found in the files of this checkout."""
    findings = []
    for path in tracked():
        if path.suffix in BINARY or path.stat().st_size > LARGEST:
            continue
        text = path.read_text(errors="replace")
        name = str(path.relative_to(places.REPOSITORY))
        findings += [Finding(name, number, what) for number, what in find(text, patterns)]
    return findings
