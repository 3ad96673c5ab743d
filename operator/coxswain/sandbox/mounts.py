"""What each container of an agent pod mounts, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import RunDocument
from coxswain.api.job import JobFile
from coxswain.sandbox import volumes
from coxswain.sandbox.volumes import Volume

SCRATCH = "/tmp"  # noqa: S108 - the pod's own


@dataclass(frozen=True, slots=True)
class Mounted:
    """A volume in a container."""

    volume: Volume
    path: str
    is_read_only: bool = True


def of_workspace(run: RunDocument, agent: AgentSpec) -> Mounted:
    """The folder to work in."""
    claim_name = names.workspace_claim(run.agent_name, run.agent_uid)
    return Mounted(volumes.workspace(agent, claim_name), names.WORKSPACE_PATH, is_read_only=False)


def of_work(
    run: RunDocument, agent: AgentSpec, files: tuple[JobFile, ...], tmp_size: str
) -> list[Mounted]:
    """What the work needs, whoever does it."""
    found = [
        of_workspace(run, agent),
        Mounted(volumes.scratch(tmp_size), SCRATCH, is_read_only=False),
        *of_files(files),
    ]
    if agent.instructions is not None and agent.instructions.config_map is not None:
        key = agent.instructions.config_map
        found.append(Mounted(volumes.instructions(key), names.INSTRUCTIONS_PATH))
    return found


def of_identity(installation: str, *, trusts: bool = False) -> Mounted:
    """The token, and whom to send it to: for containers of ours alone."""
    return Mounted(volumes.identity(installation, trusts=trusts), names.TOKEN_DIRECTORY)


def of_files(files: tuple[JobFile, ...]) -> list[Mounted]:
    """The Job's files, if it has any."""
    return [Mounted(volumes.files(files), names.FILES_PATH)] if files else []


def of_handed(run: RunDocument) -> list[Mounted]:
    """What a job type hands a program in another container, and takes back."""
    if run.type is None:
        return []
    return [Mounted(volumes.handed(), names.HANDED_PATH, is_read_only=False)]


def on_container(mounted: Iterable[Mounted]) -> list[dict[str, Any]]:
    """The container's volumeMounts."""
    return [
        {"name": each.volume["name"], "mountPath": each.path, "readOnly": each.is_read_only}
        for each in mounted
    ]


def on_pod(mounted: Iterable[Mounted]) -> list[Volume]:
    """The pod's volumes, each once."""
    return list({each.volume["name"]: each.volume for each in mounted}.values())
