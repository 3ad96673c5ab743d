"""A plan: a workload, and what goes wrong at which of its requests, events and commits. It is data.

    workload: retry
    faults:
      - request: {verb: create, resource: pods}
        do: kill
        when: after

Each file reproduces one failure by itself. What a fault waits for is counted over all operators,
unless it names a replica, and over their restarts. The sidecar API has only the faults that name it.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

SIDECAR: Literal["sidecar"] = "sidecar"
"""The process that serves the API, in plans and in what the proxies saw."""
Replica = Literal["one", "two", "leader", "standby", "sidecar"]
Verb = Literal["get", "list", "watch", "create", "update", "patch", "delete", "write", "any"]
Count = Annotated[int, Field(ge=1, le=1000)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Part(BaseModel):
    """A piece of a plan: nothing unknown in it, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(Part):
    """A request to the API server."""

    verb: Verb = "write"
    """``write`` is any that changes something, but what leader election does."""
    resource: str = ""
    """As ``pods`` or ``jobs/status``; kinds of ours by their plural alone. None is any."""
    nth: Count = 1


class Event(Part):
    """An event of a watch on its way to the operator."""

    resource: str
    type: Literal["ADDED", "MODIFIED", "DELETED", "any"] = "any"
    nth: Count = 1


class Commit(Part):
    """A transaction that changes rows, as it commits."""

    words: str = ""
    """Of its SQL, such as ``INTO runs``; none is any."""
    nth: Count = 1


class Deed(StrEnum):
    """What a fault does."""

    KILL = "kill"
    """kill -9 of the replica; it is started again, as a kubelet would."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT after ``seconds``."""
    LOSE = "lose"
    """The connection is cut: before the request came through, or instead of its answer."""
    DELAY = "delay"
    """It comes ``seconds`` later: before the request came through, or its answer, or the event."""
    ANSWER = "answer"
    """The API server says ``status``: instead of doing it, or although it was done."""
    HANG = "hang"
    """No answer ever comes; after ``seconds`` the connection breaks."""
    AWAY = "away"
    """Postgres is away for ``seconds``: every connection of the replica breaks, and none is taken."""
    KILL_APISERVER = "kill-apiserver"
    """kill -9 of the API server, whoever asks it; after ``seconds`` it is started on the same data."""
    KILL_ETCD = "kill-etcd"
    """The same of etcd: the API server stands, and can neither read nor write."""
    OLD = "old"
    """A list is answered as it was ``seconds`` ago, as by an API server that lags behind."""
    DROP = "drop"
    """The event is left out."""
    REPEAT = "repeat"
    """The event comes twice."""
    SWAP = "swap"
    """The event comes after the next one, or after ``seconds``."""
    CUT = "cut"
    """The stream breaks in place of the event."""
    END = "end"
    """The stream ends in order in place of the event."""
    HALF = "half"
    """Half of the event's line comes, and then the end of the stream."""
    ERROR = "error"
    """An event ERROR with ``status`` comes in its place, and then the end of the stream."""
    HUSH = "hush"
    """The stream stays open, and this event and all others are left out for ``seconds``."""


SERVERS = {Deed.KILL_APISERVER: "kube-apiserver", Deed.KILL_ETCD: "etcd"}
REQUEST = {
    *(Deed.KILL, Deed.FREEZE, Deed.LOSE, Deed.DELAY, Deed.ANSWER, Deed.HANG, Deed.OLD, *SERVERS),
}
EVENT = {
    *(Deed.DROP, Deed.DELAY, Deed.REPEAT, Deed.SWAP, Deed.CUT, Deed.END, Deed.HALF, Deed.ERROR),
    *(Deed.HUSH, Deed.KILL, Deed.FREEZE, *SERVERS),
}
COMMIT = {Deed.KILL, Deed.FREEZE, Deed.LOSE, Deed.DELAY, Deed.AWAY, *SERVERS}
NEEDS_SECONDS = {
    *(Deed.AWAY, Deed.FREEZE, Deed.DELAY, Deed.HANG, Deed.OLD, Deed.SWAP, Deed.HUSH, *SERVERS),
}
NEEDS_STATUS = {Deed.ANSWER, Deed.ERROR}


class Fault(Part):
    """One thing that goes wrong, and what it waits for: a request, an event or a commit."""

    request: Request | None = None
    event: Event | None = None
    commit: Commit | None = None
    replica: Replica | None = None
    """Whose; none is whichever operator comes first. Who leads, or does not, is asked when it comes true
    first, and then it is that one's."""
    do: Deed
    when: Literal["before", "after"] = "before"
    """Before it came through, or after it was done and before its answer came."""
    then: bool = False
    """Counts only from when all faults before it in the plan have come true."""
    times: Count = 1
    """Again at each further one, so often in all."""
    lasts: Seconds | None = None
    """Or at each further one for so many seconds."""
    seconds: Seconds | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after: Annotated[str, Field(min_length=1)] | None = None
    """The header Retry-After of an answer: seconds or a date."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = [each for each in (self.request, self.event, self.commit) if each is not None]
        if len(given) != 1:
            raise ValueError("say one of request, event and commit")
        allowed = COMMIT
        if self.request is not None:
            allowed = REQUEST
        elif self.event is not None:
            allowed = EVENT
        if self.do not in allowed:
            raise ValueError(
                f"do: {self.do} is not for this; say one of {', '.join(sorted(allowed))}"
            )
        if self.event is not None and self.replica == SIDECAR:
            raise ValueError("replica: the sidecar watches nothing; say request or commit")
        if (self.seconds is not None) != (self.do in NEEDS_SECONDS):
            raise ValueError(
                f"seconds: {'needed' if self.seconds is None else 'not'} for {self.do}"
            )
        if (self.status is not None) != (self.do in NEEDS_STATUS):
            raise ValueError(f"status: {'needed' if self.status is None else 'not'} for {self.do}")
        return self


class Plan(Part):
    """What is played."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]*$", max_length=120)]
    workload: str
    about: str = ""
    """Why it is kept, in a sentence."""
    replicas: Annotated[int, Field(ge=1, le=2)] = 1
    seconds: Seconds = 180
    """How long it may take until everything has come to its end: it is for what never ends, and has room
    for a slow machine. How long it took is told of each plan."""
    quiet_seconds: Seconds = 10
    """How long nothing may be written after that."""
    faults: tuple[Fault, ...] = ()


def read(file: Path) -> Plan:
    """The plan in a file; its name is the file's. ValueError names what is wrong and where."""
    found = yaml.safe_load(file.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{file}: a plan is a mapping with workload and faults")  # noqa: TRY004
    try:
        return Plan.model_validate({"name": file.stem, **found})
    except ValidationError as error:
        wrong = "; ".join(f"{_place(each['loc'])}: {each['msg']}" for each in error.errors())
        raise ValueError(f"{file}: {wrong}") from error


def text(plan: Plan) -> str:
    """A plan as its file holds it."""
    body = plan.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    return yaml.safe_dump(body, sort_keys=False)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(each) for each in location) or "plan"
