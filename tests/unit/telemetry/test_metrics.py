import re
from typing import get_args

from coxswain.api.schedule import Overlap
from coxswain.rules.overlap import Reason
from coxswain.telemetry import metrics


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


def test_the_memory_of_the_process_is_told() -> None:
    assert b"process_resident_memory_bytes" in metrics.text()


def test_every_reason_of_a_tick_and_every_policy_has_its_series_from_the_start() -> None:
    assert sorted([*metrics.SKIPPED, *metrics.MISSED]) == sorted(str(each) for each in Reason)
    text = metrics.text().decode()
    for policy in get_args(Overlap):
        assert f'coxswain_tick_lateness_seconds_count{{overlap="{policy}"}}' in text
