"""What can go wrong in the agent program.

CoxswainError
+-- ClosedError       the run is not, or no longer, ours: end without a word
+-- RefusedError      the platform will not take this call, however often it is sent
+-- WorkError         the run ends as failed, with this reason
UserError
+-- ToolError         the model asked for something wrong; it is told and may go on
"""

from coxswain.errors import CoxswainError, UserError


class ClosedError(CoxswainError):
    """The run is taken by another pod, has ended, or was never ours."""

    code = "run_closed"


class RefusedError(CoxswainError):
    """The platform understood the call and will never take it."""

    code = "refused"


class WorkError(CoxswainError):
    """The run fails; ``reason`` is one word, ``transient`` says whether trying again may help."""

    code = "failed"

    def __init__(self, reason: str, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.transient = transient


class ToolError(UserError):
    """A tool was asked for something that it does not do; the model reads the message."""

    code = "tool"
