"""Jobs on a running cluster, one after the other: apply to Running, apply to answer; memory of each process.

It needs what `hack/up` makes, and is skipped without. Run it with `hack/bench node`; `--size` is how many Jobs.
"""

import pytest

from devtools import example, provider
from devtools.errors import ToolError
from devtools.kubectl import Kubectl
from tests.bench import figures, node_latency
from tests.bench.conftest import Asked
from tests.bench.figures import Figure
from tests.bench.report import Report, Sample

JOBS = 20
OURS = "Coxswain"
WANTED = {"Running": "apply to Running", "Succeeded": "apply to answer"}
SHARES = {"p50": 0.5, "p99": 0.99}
LINES = [Figure(f"{title}, {share}, s") for title in WANTED.values() for share in SHARES]


@pytest.fixture
def kubectl() -> Kubectl:
    """An administrator's, of the cluster that `hack/up` would use."""
    try:
        kubeconfig = provider.choose().kubeconfig()
    except ToolError as error:
        pytest.skip(str(error))
    found = Kubectl(kubeconfig)
    if not kubeconfig.exists() or not found.answers("get", "namespace", example.WORKSPACE):
        pytest.skip("no cluster with the platform; make one with hack/up")
    return found


def test_node(asked: Asked, kubectl: Kubectl) -> None:
    size = asked.size or JOBS
    example.run(kubectl)
    report = Report("node", f"{size} Jobs one by one", [OURS], LINES, asked.json)
    for run in range(asked.runs):
        seen = [node_latency.measure(kubectl, f"latency-{run}-{each}") for each in range(size)]
        report.add(OURS, {**_times(seen), **_memory(kubectl)})
    print(f"\n{report.text()}")


def _times(seen: list[dict[str, float]]) -> Sample:
    """A Job that was not seen Running, because its answer was there already, counts for the answer alone."""
    found = {}
    for phase, title in WANTED.items():
        values = [each[phase] for each in seen if phase in each]
        for name, share in SHARES.items() if values else ():
            found[f"{title}, {name}, s"] = figures.percentile(values, share)
    return found


def _memory(kubectl: Kubectl) -> Sample:
    found = node_latency.memory(kubectl)
    if found:
        found[node_latency.AGENT] = node_latency.agents_memory(kubectl)
    return {f"memory of {name}, MB": size for name, size in found.items()}
