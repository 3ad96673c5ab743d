import ast
import re
from pathlib import Path
from typing import get_args

import coxswain
from coxswain.api.schedule import Overlap
from coxswain.rules.overlap import Reason
from coxswain.telemetry import metrics
from tests.support import measured

SOURCES = Path(coxswain.__file__).parent
# Every label that there is, and what keeps the number of its values small.
BOUNDED = {
    "change": "five words",
    "code": "codes of errors: words in the source, never put together",
    "condition": "conditions of a Job",
    "dependency": "names of readiness checks",
    "direction": "two words each",
    "issuer": "the cluster, and that of people",
    "kind": "kinds",
    "method": "methods of HTTP, and 'other'",
    "outcome": "words in the source, codes of errors among them",
    "overlap": "policies of Schedules",
    "phase": "phases",
    "provider": "providers that an Agent may name",
    "queue": "the first 20 names, and 'other'",
    "reason": "words of tables of ours, and 'other'",
    "route": "templates of routes, never a path",
    "server": "our servers",
    "state": "states of leases and ticks",
    "status": "the first digit of an answer, or none",
    "version": "one",
    "workspace": "the first 100 names, and 'other'",
}


def test_every_metric_of_ours_has_the_prefix_and_a_description() -> None:
    ours = [
        family
        for family in metrics.REGISTRY.collect()
        if not family.name.startswith(("process_", "python_"))
    ]
    assert ours
    for family in ours:
        assert re.match("^coxswain_[a-z_]+$", family.name), family.name
        assert family.documentation.endswith("."), family.name


def test_every_label_is_known_to_have_few_values() -> None:
    used = {
        label
        for name, labels in measured.labels().items()
        if name.startswith("coxswain_")
        for label in labels
    }
    assert used == set(BOUNDED)


def test_no_code_of_an_error_is_put_together_at_run_time() -> None:
    codes = [
        (path.name, keyword.value)
        for path in SOURCES.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "code"
    ]
    assert len(codes) > 50
    built = [name for name, code in codes if isinstance(code, ast.JoinedStr | ast.BinOp)]
    assert built == []


def test_the_memory_of_the_process_is_told() -> None:
    assert b"process_resident_memory_bytes" in metrics.text()


def test_the_version_that_runs_is_told() -> None:
    assert measured.value("coxswain_build_info", version=coxswain.__version__) == 1


def test_no_series_tells_when_a_counter_was_made() -> None:
    assert b"_created" not in metrics.text()


def test_every_reason_of_a_tick_and_every_policy_has_its_series_from_the_start() -> None:
    assert sorted([*metrics.SKIPPED, *metrics.MISSED]) == sorted(str(each) for each in Reason)
    text = metrics.text().decode()
    for policy in get_args(Overlap):
        assert f'coxswain_tick_lateness_seconds_count{{overlap="{policy}"}}' in text
