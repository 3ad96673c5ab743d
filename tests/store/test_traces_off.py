"""Without a collector, what traces cost is nothing: the SDK is not even imported."""

import sys

import pytest

from devtools import shell

PROCESSES = (
    "coxswain.process.replica",
    "coxswain.sidecar.process",
    "coxswain.gateway.models.process",
    "coxswain.gateway.channels.process",
    "coxswain.gateway.egress.process",
)
PROGRAM = """
import importlib, sys
from coxswain.telemetry import traces
importlib.import_module(sys.argv[1])
traces.start(sys.argv[2], "test")
print(traces.is_on(), *sorted(sys.modules))
traces.stop()
"""
SDK = ("opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf")


def imported(process: str, endpoint: str) -> tuple[str, set[str]]:
    """Whether a process with this setting traces, and the parts of the SDK that it has imported."""
    said = shell.run([sys.executable, "-c", PROGRAM, process, endpoint]).split()
    return said[0], {each for each in said[1:] if each in SDK}


@pytest.mark.parametrize("process", PROCESSES)
def test_without_a_collector_no_process_imports_the_sdk(process: str) -> None:
    assert imported(process, "") == ("False", set())


def test_with_one_it_does() -> None:
    is_on, found = imported("coxswain.sidecar.process", "http://127.0.0.1:9")
    assert is_on == "True"
    assert {"opentelemetry.sdk", "opentelemetry.exporter"} <= found
