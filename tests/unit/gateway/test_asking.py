"""The token in a request for a tunnel."""

import pytest

from coxswain.errors import UnauthenticatedError
from coxswain.gateway.egress.asking import Asked


@pytest.mark.parametrize("value", ["Basic \xff", "Basic !", "Basic Og==", "Bearer \xe4", "", "x y"])
def test_what_holds_no_token_is_refused_in_our_words(value: str) -> None:
    with pytest.raises(UnauthenticatedError):
        _ = Asked("a.example", 443, value).token


@pytest.mark.parametrize("value", ["Bearer abc", "bearer  abc", "Basic eDphYmM=", "BASIC OmFiYw=="])
def test_a_token_comes_as_bearer_or_as_a_password(value: str) -> None:
    assert Asked("a.example", 443, value).token == "abc"
