"""The errors of Coxswain. Three questions decide the class: can the user fix it, can time, or is it ours?

CoxswainError
+-- UserError            the request or the object is wrong; say what was wanted and what to do
|   +-- NotFoundError
|   +-- ConflictError    it changed, or it is there already with another content
|   +-- ForbiddenError
|   +-- UnauthenticatedError
+-- TransientError       time may fix it; try again later
|   +-- UnavailableError     a dependency does not answer
+-- FencedError          this process lost its right to act and must end
+-- ConfigurationError   the process cannot start like this
"""


class CoxswainError(Exception):
    """Anything that Coxswain raises on purpose.

    ``code`` is stable and for programs, the message is for people, ``field`` names the place that is wrong.
    """

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code is not None:
            self.code = code


class UserError(CoxswainError):
    """The request or the object is wrong."""

    code = "invalid"


class NotFoundError(UserError):
    """What was asked for is not there."""

    code = "not_found"


class ConflictError(UserError):
    """It changed meanwhile, or is there already with another content."""

    code = "conflict"


class ForbiddenError(UserError):
    """The caller, or this process, may not do that."""

    code = "forbidden"


class UnauthenticatedError(UserError):
    """Nobody knows who is calling."""

    code = "unauthenticated"


class TransientError(CoxswainError):
    """Time may fix it.

    ``retry_after_seconds`` is what the other side asked for, if it asked.
    """

    code = "transient"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, code=code, field=field)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(TransientError):
    """A dependency does not answer."""

    code = "unavailable"


class FencedError(CoxswainError):
    """The process is no longer the leader; whatever it does now would be wrong."""

    code = "fenced"


class ConfigurationError(CoxswainError):
    """The process cannot start with this configuration."""

    code = "configuration"
