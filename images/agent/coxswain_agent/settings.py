"""What the agent program is told by its pod. One model; a refusal names every bad key."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from coxswain import names
from coxswain.settings import Port, Settings

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#@]+$")]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class AgentSettings(Settings):
    """The environment of an agent container."""

    url: Url
    """Address of the platform door."""
    models_url: Url
    """Address of the model door."""
    egress_url: Url | None = None
    """Address of the web door; none offers programs no way to the web."""
    token_file: Path = Path(names.TOKEN_FILE)
    """The pod's own token; read again for each request because the kubelet rotates it."""
    run: Annotated[str, StringConstraints(pattern=r"^[-0-9a-f]{36}/[0-9]{1,6}$")]
    """The run to claim: the Job's uid and the attempt."""
    traceparent: Annotated[
        str, StringConstraints(pattern="^(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})?$")
    ] = ""
    """W3C Trace Context of the attempt; the door gives it to each request that has none. Empty: no traces."""
    workspace: Path = Path(names.WORKSPACE_PATH)
    """The folder that the agent works in."""
    files: Path = Path(names.FILES_PATH)
    """Where the Job's files are mounted; they are copied into the workspace first."""
    instructions: Path = Path(names.INSTRUCTIONS_PATH)
    """Where instructions from a ConfigMap are mounted."""
    termination_log: Path = Path("/dev/termination-log")
    """Where the last word goes, for when the platform is away."""
    spool: Path = Path("/tmp")  # noqa: S108 - an emptyDir of this pod alone
    """Where the whole output of a command is kept while it runs."""
    handed: Path = Path(names.HANDED_PATH)
    """What a job type hands a program in another container, and takes back."""
    signs_port: Port = names.SIGNS_PORT
    """Port where a door in a container of its own answers the kubelet; 0 takes a free one."""
    door_port: Port = names.DOOR_PORT
    """Port of the door on localhost; 0 takes a free one."""
    web_door_port: Port = names.WEB_DOOR_PORT
    """Port of the web door's near end on localhost; 0 takes a free one."""
    claim_seconds: Seconds = 120
    """How long to try to claim the run before giving up."""
    heartbeat_seconds: Seconds = 10
    """Time between two signs of life."""
    flush_seconds: Seconds = 0.5
    """Longest time that an event waits for others of its batch."""
    platform_wait_seconds: Seconds = 60
    """How long an act with side effects, or a whole output to keep, waits for a silent platform."""
    agreement_seconds: Seconds = 2
    """How often to look whether people have agreed to a call."""
    models_wait_seconds: Seconds = 120
    """How long a model call waits for a model gateway that does not answer."""
    grace_seconds: Seconds = 5
    """How long a program has between SIGTERM and SIGKILL."""
    stop_seconds: Seconds = 20
    """How long the end of a stopped run may take: last events and the result."""
