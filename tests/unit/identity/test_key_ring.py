"""How often an issuer is asked for its keys while many wait for one."""

import asyncio

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from typing_extensions import override

from coxswain.errors import UnavailableError
from coxswain.identity.issuer import Nowhere
from coxswain.identity.key_ring import FETCH_SECONDS, KeyRing
from coxswain.store.keys import IssuerKeys
from tests.support.ticking import Ticking

KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
KEYS = {"first": jwt.algorithms.ECAlgorithm.to_jwk(KEY, as_dict=True)}


class Slow:
    """An issuer whose every answer takes longer than the time between two fetches."""

    def __init__(self, clock: Ticking, *, away: bool = False) -> None:
        self.fetches = 0
        self._clock = clock
        self._away = away

    async def fetch(self) -> IssuerKeys:
        self.fetches += 1
        await asyncio.sleep(0)
        self._clock.now += FETCH_SECONDS + 5
        if self._away:
            raise UnavailableError("away")
        return IssuerKeys("https://issuer", KEYS)


class Late(Ticking):
    """So much passes before each look at it that another fetch would always be allowed."""

    @override
    def __call__(self) -> float:
        self.now += FETCH_SECONDS + 1
        return self.now


async def test_those_who_wait_for_an_issuer_that_is_away_do_not_ask_it_one_after_the_other() -> (
    None
):
    clock = Ticking()
    source = Slow(clock, away=True)
    ring = KeyRing(source, Nowhere(), "https://issuer", "oidc", clock)
    found = await asyncio.gather(*(ring.key("first") for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in found] == [UnavailableError] * 5
    assert source.fetches == 1
    clock.now += FETCH_SECONDS
    with pytest.raises(UnavailableError):
        await ring.key("first")
    assert source.fetches == 2


async def test_who_waited_while_the_key_was_found_takes_it_and_asks_nobody() -> None:
    clock = Late()
    source = Slow(clock)
    ring = KeyRing(source, Nowhere(), "https://issuer", "oidc", clock)
    found = await asyncio.gather(*(ring.key("first") for _ in range(5)))
    assert len(found) == 5
    assert source.fetches == 1
