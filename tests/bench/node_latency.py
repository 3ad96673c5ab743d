"""How long Jobs take on the cluster of KUBECONFIG: apply to Running, apply to answer; memory of each process.

Run it alone after `hack/up`: `PYTHONPATH=hack .venv/bin/python -m tests.bench.node_latency [RUNS]`. Times come from the
conditions and edges of the status where they are exact, and from a watch's own clock otherwise.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from devtools import example, programs, release
from devtools.kubectl import Kubectl
from tests.support import processes

COMPONENTS = ("operator", "models", "egress", "postgres")
RUNS = 20
WANTED = {"Running": "apply to Running", "Succeeded": "apply to answer"}


def measure(kubectl: Kubectl, name: str) -> dict[str, float]:
    """Seconds from the start of kubectl apply until a watch sees each phase."""
    job = kubectl.json("--namespace", example.WORKSPACE, "get", example.JOBS, "first-answer")
    manifest = {
        "apiVersion": job["apiVersion"],
        "kind": "Job",
        "metadata": {"name": name, "namespace": example.WORKSPACE},
        "spec": job["spec"],
    }
    words = [programs.tool("kubectl"), "--kubeconfig", kubectl.kubeconfig]
    words += ["--namespace", example.WORKSPACE, "get", example.JOBS, "--watch", "--output"]
    words += ["jsonpath={.metadata.name} {.status.phase}{'\\n'}"]
    seen: dict[str, float] = {}
    with subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.PIPE, text=True
    ) as watch:
        assert watch.stdout is not None
        watch.stdout.readline()
        started = time.monotonic()
        kubectl.apply(manifest)
        for line in watch.stdout:
            found, _, phase = line.strip().partition(" ")
            if found != name:
                continue
            assert phase not in ("Failed", "Cancelled")
            seen.setdefault(phase, time.monotonic() - started)
            if phase == "Succeeded":
                break
        watch.terminate()
    kubectl.run("--namespace", example.WORKSPACE, "delete", example.JOBS, name, "--wait=false")
    return seen


def memory(kubectl: Kubectl) -> dict[str, float]:
    """Resident MB of each process of the platform."""
    found: dict[str, float] = {}
    for component in COMPONENTS:
        for each in processes.of_component(kubectl, release.NAMESPACE, component):
            name = f"{component}: {' '.join(Path(word).name for word in each.words[:3])}"
            found[name] = max(found.get(name, 0.0), each.resident_bytes / 1e6)
    return found


def main(runs: int) -> None:
    """Print a table of both."""
    kubectl = Kubectl(Path(os.environ["KUBECONFIG"]))
    samples = [measure(kubectl, f"latency-{number}") for number in range(runs)]
    for phase, title in WANTED.items():
        values = sorted(each[phase] for each in samples if phase in each)
        p50, p99 = statistics.median(values), values[-1]
        print(f"{title:20} p50 {p50:.2f} s   p99 (largest of {len(values)}) {p99:.2f} s")
    print(json.dumps({name: round(size, 1) for name, size in memory(kubectl).items()}, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
