"""Without a collector nothing of the SDK is there."""

import sys

from coxswain.telemetry import traces


def test_without_a_collector_the_sdk_is_not_imported() -> None:
    before = {name for name in sys.modules if name.startswith("opentelemetry.sdk")}
    traces.start("", "sidecar")
    assert not traces.is_on()
    with traces.work("x"):
        assert traces.current() == ""
    traces.stop()
    assert {name for name in sys.modules if name.startswith("opentelemetry.sdk")} == before
