"""People by tokens of an OIDC issuer that a test runs itself, so that it can be wrong in each point."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio

from coxswain.errors import ConfigurationError, UnauthenticatedError, UnavailableError
from coxswain.identity import issuer
from coxswain.identity.issuer import Nowhere
from coxswain.identity.key_ring import FETCH_SECONDS, KeyRing
from coxswain.identity.people import Claimed, People
from coxswain.identity.users import Granted
from coxswain.rules.permissions import Grant, Role
from tests.support.issuer import AUDIENCE, Issuer, deep
from tests.support.measured import value
from tests.support.ticking import Ticking

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
TEAM, OPS, ALL = Grant(Role.MEMBER, frozenset({"team"})), Grant(Role.ADMIN), Grant(Role.READ)
GRANTS = {"team": TEAM, "ops": OPS, "*": ALL}


@pytest_asyncio.fixture
async def there(pki: Path) -> AsyncIterator[Issuer]:
    async with Issuer(pki).serving() as serving:
        yield serving


def people(there: Issuer, clock: Ticking | None = None, *, name: str = "sub") -> People:
    source = issuer.Issuer(there.url, there.ca_file)
    keys = KeyRing(source, Nowhere(), there.url, "oidc", clock or Ticking())
    return People(keys, Claimed(there.url, AUDIENCE, name, "groups"), GRANTS)


async def refused(judge: People, token: str) -> str:
    with pytest.raises(UnauthenticatedError) as error:
        await judge.find(token)
    return error.value.code


async def test_a_token_names_a_person_with_the_rights_of_their_groups(there: Issuer) -> None:
    user = await people(there).find(there.token("ada", "team", "unheard-of"))
    assert user is not None
    assert (user.name, str(user), user.is_machine) == ("ada", "user:ada", False)
    assert user.rights == Granted((TEAM, ALL))


@pytest.mark.parametrize("groups", [None, "ops", ["*"], [7], {"a": 1}])
async def test_groups_of_any_form_give_nothing_that_was_not_given(
    there: Issuer, groups: Any
) -> None:
    user = await people(there).find(there.token(groups=groups))
    assert user is not None
    assert user.rights == Granted((OPS, ALL) if groups == "ops" else (ALL,))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": NOW - HOUR}, "token_expired"),
        ({"aud": "somebody-else"}, "token_audience"),
        ({"aud": None}, "token_invalid"),
        ({"exp": None}, "token_invalid"),
        ({"iat": None}, "token_invalid"),
        ({"iat": NOW + HOUR}, "token_invalid"),
        ({"nbf": NOW + HOUR}, "token_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"sub": "key:ci"}, "token_name"),
        ({"sub": "local"}, "token_name"),
        ({"sub": "two words"}, "token_name"),
        ({"sub": "x" * 129}, "token_name"),
        ({"typ": "logout+jwt"}, "token_invalid"),
    ],
)
async def test_a_token_that_is_wrong_in_one_point_is_refused(
    there: Issuer, changes: dict[str, Any], code: str
) -> None:
    assert await refused(people(there), there.token(**changes)) == code


async def test_a_token_of_another_issuer_is_left_to_others(there: Issuer) -> None:
    assert await people(there).find(there.token(iss="https://elsewhere")) is None
    for token in ("no token at all", deep(head=True), deep(head=False)):
        assert await people(there).find(token) is None


async def test_a_token_that_another_key_signed_is_refused(there: Issuer, pki: Path) -> None:
    stranger = Issuer(pki)
    stranger.url = there.url
    assert await refused(people(there), stranger.token()) == "token_invalid"


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(there: Issuer) -> None:
    claims = jwt.decode(there.token(), options={"verify_signature": False})
    for algorithm, key in (("HS256", "x" * 32), ("none", "")):
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "first"})
        assert await refused(people(there), token) == "token_invalid"


async def test_a_key_for_encryption_or_a_shared_secret_signs_nothing(there: Issuer) -> None:
    claims = jwt.decode(there.token(), options={"verify_signature": False})
    there.more_keys = [{"kid": "shared", "kty": "oct", "k": "eHh4", "alg": "HS256"}]
    token = jwt.encode(claims, "xxx" * 11, algorithm="HS256", headers={"kid": "shared"})
    assert await refused(people(there), token) == "unauthenticated"


async def test_an_email_is_a_name_only_if_it_is_verified(there: Issuer) -> None:
    judge = people(there, name="email")
    for verified in (False, None, "true"):
        token = there.token(email="ada@example.org", email_verified=verified)
        assert await refused(judge, token) == "token_name"
    user = await judge.find(there.token(email="ada@example.org", email_verified=True))
    assert user is not None
    assert user.name == "ada@example.org"


async def test_a_new_key_is_fetched_and_an_unknown_one_at_most_every_ten_seconds(
    there: Issuer, pki: Path
) -> None:
    clock, stranger = Ticking(), Issuer(pki)
    stranger.url = there.url
    stranger.add_key("unknown")
    judge = people(there, clock)
    await judge.find(there.token())
    there.add_key("second")
    for _ in range(5):
        assert await refused(judge, stranger.token(key_id="unknown")) == "unauthenticated"
    assert there.fetches == 1
    clock.now += FETCH_SECONDS
    assert await judge.find(there.token(key_id="second")) is not None
    assert there.fetches == 2


async def test_an_issuer_that_calls_itself_otherwise_is_not_believed(there: Issuer) -> None:
    there.calls_itself = "https://elsewhere"
    with pytest.raises(UnavailableError):
        await people(there).find(there.token())


async def test_an_issuer_whose_certificate_nobody_vouches_for_is_not_believed(
    there: Issuer,
) -> None:
    keys = KeyRing(issuer.Issuer(there.url, None), Nowhere(), there.url, "oidc", Ticking())
    counted = value("coxswain_issuer_key_fetches_total", issuer="oidc", outcome="failed")
    with pytest.raises(UnavailableError):
        await keys.key("first")
    assert there.fetches == 0
    assert (
        value("coxswain_issuer_key_fetches_total", issuer="oidc", outcome="failed") == counted + 1
    )


async def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="COXSWAIN_OIDC_CA_FILE"):
        issuer.Issuer("https://issuer.example", tmp_path / "none")
