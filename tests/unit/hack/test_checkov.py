"""What checkov finds is mended or has a reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from devtools import charts, checkov
from devtools.checkov import Failure, Skip
from devtools.errors import ToolError
from devtools.lockfiles import ToolLock

AT_LEAST_SETS = 8
OPERATOR = "Deployment.coxswain-system.coxswain-operator"
FOUND = Failure("dev", "CKV_K8S_11", OPERATOR, "CPU limits should be set")


def report(*failed: tuple[str, str], passed: int = 90, unread: int = 0) -> dict[str, Any]:
    checks = [{"check_id": check, "resource": where, "check_name": "n"} for check, where in failed]
    return {
        "results": {"failed_checks": checks},
        "summary": {"passed": passed, "failed": len(checks), "parsing_errors": unread},
    }


def test_a_report_is_one_part_or_several() -> None:
    one = report(("CKV_K8S_11", OPERATOR))
    wanted = [Failure("dev", "CKV_K8S_11", OPERATOR, "n")]
    assert checkov.failures("dev", json.dumps(one)) == wanted
    assert checkov.failures("dev", json.dumps([one, report()])) == wanted


@pytest.mark.parametrize(
    "said",
    [report(passed=0), report(unread=1), {"passed": 0, "failed": 0}],
    ids=["nothing passed", "not all read", "nothing found"],
)
def test_a_look_at_nothing_is_no_good_look(said: dict[str, Any]) -> None:
    with pytest.raises(ToolError):
        checkov.failures("dev", json.dumps(said))


@pytest.mark.parametrize(
    ("skip", "is_covered"),
    [
        (Skip("CKV_K8S_11", "*", (), "r"), True),
        (Skip("CKV_K8S_11", "Deployment.*.coxswain-operator", ("dev", "tls"), "r"), True),
        (Skip("CKV_K8S_11", "*", ("prod",), "r"), False),
        (Skip("CKV_K8S_12", "*", (), "r"), False),
        (Skip("CKV_K8S_11", "StatefulSet.*", (), "r"), False),
    ],
)
def test_a_failure_without_an_entry_and_an_entry_without_a_failure_are_faults(
    skip: Skip, *, is_covered: bool
) -> None:
    assert len(list(checkov.faults([FOUND], [skip]))) == (0 if is_covered else 2)


def test_every_entry_has_a_reason_and_names_sets_that_are_there() -> None:
    sets = {path.stem for path in charts.values_of(charts.CHARTS / "coxswain")}
    assert len(sets) >= AT_LEAST_SETS
    entries = checkov.skips()
    assert entries
    assert [each for each in entries if not each.reason or not set(each.values) <= sets] == []


def test_a_lock_of_other_wishes_is_stale(tmp_path: Path) -> None:
    made = ToolLock(tmp_path / "requirements.in")
    made.wanted.write_text("a\n")
    assert made.is_stale()
    made.lock.write_text(f"# made from: {made.digest()}\na==1\n")
    assert not made.is_stale()
    made.wanted.write_text("b\n")
    assert made.is_stale()
