"""Our Job is not the batch Job: what a reader types always carries the full group or our short name."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEXTS = sorted(
    path
    for pattern in (
        "README.md",
        ".github/*.md",
        "docs/**/*.md",
        "charts/**/*.md",
        "charts/**/*.txt",
    )
    for path in REPOSITORY.glob(pattern)
)
# kubectl, a verb, perhaps flags with their values, then a kind of ours by a name that others have too.
BARE = re.compile(
    r"kubectl (?:-\S+ \S+ |--\S+ \S+ )*(?:get|describe|delete|wait|watch|explain|edit|patch|annotate)"
    r"(?: -\S+ \S+)* (?:\S+,)?(jobs?|leases?|agents?)(?![.\w-])"
)


def bare(text: str) -> list[str]:
    """The commands in which a kind of ours could be taken for another's."""
    return [found.group() for found in BARE.finditer(text)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_reader_is_never_told_to_type_a_bare_kind(path: Path) -> None:
    assert bare(path.read_text()) == []


@pytest.mark.parametrize(
    ("command", "is_bare"),
    [
        ("kubectl get jobs", True),
        ("kubectl --namespace demo get job first-answer", True),
        ("kubectl delete -n demo lease x", True),
        ("kubectl get jobs.coxswain.dev", False),
        ("kubectl get cxj", False),
        ("kubectl get coxswain --namespace demo", False),
        ("kubectl get secret coxswain-local-token", False),
    ],
)
def test_a_bare_kind_is_told_from_a_full_one(command: str, is_bare: bool) -> None:
    assert bool(bare(command)) == is_bare
