import re

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
