"""A pod like an agent's that tries what it must not reach: shows whether the policy is enforced.

A NetworkPolicy is only a wish where the cluster's network does not enforce it, and nothing in the
API says so; this pod finds out.
"""

import json
from dataclasses import dataclass
from typing import Any

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import RunDocument
from coxswain.sandbox import pod
from coxswain.sandbox.pod import Platform, PodRequest

AGENT = "coxswain-probe"
ENFORCED, LEAKS, SHUT = 0, 3, 4
SECONDS = 3

# Exit code 0: all as it should be; 3: something was reached; 4: the platform door was not.
SCRIPT = """
import json, socket, sys, time
def reached(host, port):
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
        return True
    except OSError:
        return False
doors, walls = json.loads(sys.argv[1])
until = time.monotonic() + 20
while not all(reached(*door) for door in doors):
    if time.monotonic() > until:
        open("/dev/termination-log", "w").write("the platform door cannot be reached")
        sys.exit(4)
    time.sleep(0.5)
leaks = [f"{host}:{port}" for host, port in walls if reached(host, port)]
open("/dev/termination-log", "w").write(", ".join(leaks))
sys.exit(3 if leaks else 0)
""".replace("SECONDS", str(SECONDS))


@dataclass(frozen=True, slots=True)
class Wall:
    """An address that no agent pod may reach."""

    host: str
    port: int


def name(version: str) -> str:
    """The name of the probe of a version, the same in every workspace."""
    return f"{AGENT}-{names.uid_hash(version)}"


def build(
    workspace: str, version: str, walls: tuple[Wall, ...], platform: Platform
) -> dict[str, Any]:
    """An agent's pod in all that counts for policy and admission, with the probe as its program."""
    run = RunDocument(
        workspace=workspace,
        job_name=AGENT,
        job_uid=name(version),
        attempt=1,
        title=AGENT,
        agent_name=AGENT,
        agent_uid=AGENT,
        timeout_seconds=60,
    )
    manifest = pod.build(PodRequest(run, AgentSpec()), platform)
    del manifest["metadata"]["ownerReferences"]
    manifest["metadata"]["name"] = name(version)
    door = platform.doors.platform
    asked = json.dumps(
        [
            [[address, door.port] for address in door.addresses[:1]],
            [[wall.host, wall.port] for wall in walls],
        ]
    )
    container = manifest["spec"]["containers"][0]
    container["command"] = ["python3", "-c", SCRIPT, asked]
    return manifest
