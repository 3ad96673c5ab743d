"""The example that `hack/up` shows: applied, awaited, told."""

import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any

from devtools import console, patience, places
from devtools.errors import ToolError
from devtools.kubectl import Kubectl

WORKSPACE = "demo"
FOLDER = places.REPOSITORY / "docs" / "examples" / "first-answer"
JOBS = "jobs.coxswain.dev"
ANSWER_SECONDS = 300.0
WIDTH = 100
ENDS = ("Succeeded", "Failed", "Cancelled")


def run(kubectl: Kubectl) -> dict[str, Any]:
    """Apply the example and wait for its Job to end; the Job as it is then."""
    place = ("--namespace", WORKSPACE)
    with console.step("apply docs/examples/first-answer"):
        name = _job_name(kubectl)
        if _phase(kubectl, name) in ("Failed", "Cancelled"):
            kubectl.run(*place, "delete", JOBS, name, "--wait")
        kubectl.run(*place, "apply", "--server-side", "--filename", FOLDER)
    with console.step("wait for the agent's answer"):
        patience.until(
            lambda: _pending(kubectl, name),
            ANSWER_SECONDS,
            f"kubectl --namespace {WORKSPACE} describe {JOBS} {name}; see docs/troubleshooting.md",
        )
    return kubectl.json(*place, "get", JOBS, name)


def remove(kubectl: Kubectl) -> None:
    """Take the example away again."""
    words: list[str | Path] = ["delete", "--ignore-not-found", "--filename", FOLDER]
    kubectl.run("--namespace", WORKSPACE, *words)


def tell(job: dict[str, Any]) -> str:
    """Question, answer and timeline, for a person. Raises ToolError if the Job did not succeed."""
    status = job["status"]
    if status["phase"] != "Succeeded":
        failed = [each for each in status["conditions"] if each["type"] == "Failed"]
        why = f"{failed[0]['reason']}: {failed[0].get('message', '')}" if failed else "no reason"
        raise ToolError(
            f"the Job ended as {status['phase']}: {why}",
            "docs/troubleshooting.md lists the reasons",
        )
    lines = ["", f"Question  {job['spec']['prompt'].strip()}", "", "Answer"]
    for line in status["result"]["answer"].strip().splitlines():
        lines += textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return "\n".join([*lines, "", "Timeline", *_timeline(job)])


def _timeline(job: dict[str, Any]) -> list[str]:
    created = _instant(job["metadata"]["creationTimestamp"])
    lines = [f"  {'created':12} {created:%H:%M:%S}"]
    for edge in job["status"]["transitions"]:
        at = _instant(edge["at"])
        attempt = f"attempt {edge['attempt']}" if edge.get("attempt") else ""
        after = (at - created).total_seconds()
        words = f"  {edge['phase']:12} {at:%H:%M:%S}  +{after:.1f} s  {attempt}  {edge.get('reason') or ''}"
        lines.append(words.rstrip())
    return lines


def _job_name(kubectl: Kubectl) -> str:
    words: list[str | Path] = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--filename",
        FOLDER,
        "--output",
        "name",
    ]
    names = kubectl.run("--namespace", WORKSPACE, *words).split()
    jobs = [name.rpartition("/")[2] for name in names if name.startswith("job.coxswain.dev/")]
    if len(jobs) != 1:
        raise ToolError(f"{FOLDER} holds {len(jobs)} Jobs; one is wanted")
    return jobs[0]


def _phase(kubectl: Kubectl, name: str) -> str:
    words = ["get", JOBS, name, "--ignore-not-found", "--output", "jsonpath={.status.phase}"]
    return kubectl.run("--namespace", WORKSPACE, *words)


def _pending(kubectl: Kubectl, name: str) -> str:
    """What the Job waits for: its first condition that is not true."""
    status = kubectl.json("--namespace", WORKSPACE, "get", JOBS, name).get("status", {})
    if status.get("phase") in ENDS:
        return ""
    if status.get("phase") == "Running":
        return "the agent, which works"
    for each in status.get("conditions", []):
        if each["status"] != "True":
            return f"{each['type']}: {each['reason']} {each.get('message', '')}".strip()
    return "the operator to see the Job"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
