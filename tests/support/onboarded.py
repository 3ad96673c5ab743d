"""One onboarded workspace of a real cluster: Agents and Jobs made in it, awaited, taken away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from coxswain import names
from devtools import patience
from devtools.kubectl import Kubectl

JOBS = "jobs.coxswain.dev"
AGENTS = "agents.coxswain.dev"
ENDS = ("Succeeded", "Failed", "Cancelled")
READY_SECONDS = 60.0
END_SECONDS = 90.0
LET_GO = "/tmp/let-go"  # noqa: S108 - the pod's own
HELD = f"until [ -e {LET_GO} ]; do sleep 0.2; done"
"""What a shell in a Job's pod is given to wait until the test lets it go."""
Body = dict[str, Any]


class Workspace:
    """A namespace in which agents run."""

    def __init__(self, kubectl: Kubectl, name: str) -> None:
        self.kubectl = kubectl
        self.name = name

    def run(self, *words: str) -> str:
        """Call kubectl in this namespace."""
        return self.kubectl.run("--namespace", self.name, *words)

    def get(self, kind: str, name: str) -> Body:
        """Read one object."""
        return self.kubectl.json("--namespace", self.name, "get", kind, name)

    def objects(self, kind: str, *words: str) -> list[Body]:
        """Read all objects of a kind."""
        found = self.kubectl.json("--namespace", self.name, "get", kind, *words)["items"]
        return [dict(each) for each in found]

    def apply(self, kind: str, name: str, spec: Body) -> None:
        """Make or change an object of ours."""
        metadata = {"name": name, "namespace": self.name}
        self.kubectl.apply(
            {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
        )

    def agent(self, name: str, **spec: Any) -> None:
        """Make an Agent and wait until it is ready."""
        self.apply("Agent", name, spec)
        self.until(
            lambda: (
                "" if _condition(self.get(AGENTS, name), "Ready") == "True" else f"Agent {name}"
            ),
            READY_SECONDS,
        )

    def command(self, name: str, agent: str, *words: str, **spec: Any) -> None:
        """Make a Job that runs a program."""
        self.job(name, agent, command=list(words), **spec)

    def job(self, name: str, agent: str, **spec: Any) -> None:
        """Make a Job."""
        self.apply("Job", name, {"agentRef": {"name": agent}, "title": name, **spec})

    def status(self, name: str) -> Body:
        """The status of a Job as it is now."""
        found: Body = self.get(JOBS, name).get("status", {})
        return found

    def phase(self, name: str) -> str:
        """The phase of a Job; empty before its first."""
        return str(self.status(name).get("phase", ""))

    def running(self, name: str, seconds: float = END_SECONDS) -> Body:
        """Wait until a Job runs; its status then."""
        return self._wait(name, ("Running", *ENDS), seconds)

    def ended(self, name: str, seconds: float = END_SECONDS) -> Body:
        """Wait until a Job has ended; its status then."""
        return self._wait(name, ENDS, seconds)

    def pods_of(self, job: str) -> list[Body]:
        """The pods of a Job's attempts."""
        return self.objects("pods", "--selector", f"{names.LABEL_JOB}={job}")

    def pod_address(self, job: str) -> str:
        """The address of the newest attempt's pod."""
        return str(self._newest_pod(job)["status"]["podIP"])

    def let_go(self, job: str) -> None:
        """Let a Job that runs and is held go on."""
        pod = self._newest_pod(job)["metadata"]["name"]
        self.run("exec", pod, f"--container={names.AGENT_CONTAINER}", "--", "touch", LET_GO)

    def until(self, pending: Callable[[], str], seconds: float = END_SECONDS) -> None:
        """Wait until nothing is pending."""
        patience.until(pending, seconds)

    def clear(self) -> None:
        """Take away all Jobs, Agents and pods of agents."""
        for kind in (JOBS, AGENTS):
            self.run("delete", kind, "--all", "--wait=false")
        self.until(lambda: ", ".join(self._left()))

    def _newest_pod(self, job: str) -> Body:
        return max(self.pods_of(job), key=lambda each: str(each["metadata"]["creationTimestamp"]))

    def _left(self) -> Iterator[str]:
        for kind in (JOBS, AGENTS, "pods"):
            yield from (f"{kind} {each['metadata']['name']}" for each in self.objects(kind))

    def _wait(self, name: str, phases: tuple[str, ...], seconds: float) -> Body:
        seen: Body = {}

        def pending() -> str:
            seen.clear()
            seen.update(self.status(name))
            return "" if seen.get("phase") in phases else f"{name}, which is {_why(seen)}"

        self.until(pending, seconds)
        return seen


@contextmanager
def cleared(kubectl: Kubectl, name: str) -> Iterator[Workspace]:
    """The workspace, empty before and after."""
    workspace = Workspace(kubectl, name)
    workspace.clear()
    try:
        yield workspace
    finally:
        workspace.clear()


def condition(status: Body, kind: str) -> Body:
    """One condition of a status; empty if it was never observed."""
    return next((each for each in status.get("conditions", []) if each["type"] == kind), {})


def _condition(found: Body, kind: str) -> str:
    return str(condition(found.get("status", {}), kind).get("status", ""))


def _why(status: Body) -> str:
    waits = [each for each in status.get("conditions", []) if each["status"] == "False"]
    why = f" ({waits[0]['type']}: {waits[0]['reason']})" if waits else ""
    return f"{status.get('phase', 'new')}{why}"
