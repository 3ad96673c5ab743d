"""A seeded bug that no file holds."""

from devtools.mutants import Mutant

PLAN = "tests/faults/plans/d.yaml"
TESTS = (PLAN, "tests/unit/a.py", "tests/store/b.py", "tests/unit/c.py")


def mutant(
    name: str = "one",
    *,
    kind: str = "off by one",
    tests: tuple[str, ...] = TESTS,
    digest: str = "d0",
) -> Mutant:
    """One that is to be found by two files of the unit tier, one of the store tier and a plan."""
    return Mutant(name, kind, "It counts one too many.", tests, digest)
