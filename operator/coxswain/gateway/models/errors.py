"""How a call to a provider fails. Apart from the calls, whose library takes seconds to import."""

from coxswain.api.contract import ProviderError
from coxswain.errors import CoxswainError


class ProviderFailedError(CoxswainError):
    """A model call failed; ``code`` is the ProviderError."""

    def __init__(self, provider_error: ProviderError, message: str) -> None:
        super().__init__(message, code=provider_error.value)
        self.provider_error = provider_error
