"""The one error of the developer tooling: what went wrong, and what the reader can do."""


class ToolError(Exception):
    """Ends a command with exit code 1; `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
