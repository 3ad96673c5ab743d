"""What the platform itself tells of a run: its claim, its result, and what it asked the doors for."""

from coxswain.api.event_type import EventType
from coxswain.api.meta import Model


class RunClaimed(Model):
    """A pod has taken its run."""

    pod: str
    """The pod's name."""
    token: int
    """The run's fencing token."""


class RunEnded(Model):
    """The one result of a run; its answer and output stand in the records."""

    status: str
    """succeeded or failed."""
    reason: str | None = None
    """Why, in one word."""
    message: str | None = None
    """Why, in a sentence."""
    exit_code: int | None = None
    """The program's exit code."""
    transient: bool = False
    """Whether trying again may help."""
    artifacts: list[str] = []
    """Files that were kept."""


class CallAsked(Model):
    """A call that people have to agree to."""

    hash: str
    """Stands for the call in its attempt."""
    tool: str
    """The tool's name."""


class CallSettled(CallAsked):
    """What became of it."""

    state: str
    """Approved, ApprovalDenied, ApprovalTimeout or ApprovalImpossible."""
    message: str
    """More, for people."""


class Connected(Model):
    """A connection through the web door."""

    host: str
    """The host that was asked for."""
    port: int
    """Its port."""


class ConnectionOpened(Connected):
    """It stands."""

    address: str | None = None
    """The address that it goes to."""
    encrypted_hello: bool | None = None
    """True where another name may be hidden in it."""


class ConnectionClosed(Connected):
    """It is over. Without amounts nobody knows how much went through."""

    connection: str
    """The id of the event that told that it was opened."""
    outcome: str
    """done, idle, time_up, broken, run_closed, egress_bytes_used_up or gateway_lost."""
    sent: int | None = None
    """Bytes from the agent."""
    received: int | None = None
    """Bytes to the agent."""
    milliseconds: int | None = None
    """How long it stood."""


class ConnectionRefused(Connected):
    """There is none."""

    code: str
    """Why, in one word."""
    message: str
    """Why, in a sentence."""


RUN_CLAIMED = EventType("run.claimed", "A pod has taken its run.", RunClaimed)
RUN_RESULT = EventType("run.result", "A run has posted its one result.", RunEnded)
CALL_ASKED = EventType(
    "run.approval.asked", "People are asked about a call of a tool.", CallAsked, is_security=True
)
CALL_SETTLED = EventType(
    "run.approval.ended", "A call was agreed to, or not.", CallSettled, is_security=True
)
EGRESS_OPENED = EventType("run.egress.opened", "A connection was opened.", ConnectionOpened)
EGRESS_CLOSED = EventType("run.egress.closed", "A connection is over.", ConnectionClosed)
EGRESS_REFUSED = EventType(
    "run.egress.refused", "A connection was refused.", ConnectionRefused, is_security=True
)
TYPES = (
    *(RUN_CLAIMED, RUN_RESULT, CALL_ASKED, CALL_SETTLED),
    *(EGRESS_OPENED, EGRESS_CLOSED, EGRESS_REFUSED),
)
