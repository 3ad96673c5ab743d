"""Keys of Secrets: read by name, held for a while, and a refusal no longer than its maker wants."""

import base64
from typing import Any

import pytest

from coxswain.errors import ForbiddenError, NotFoundError, UnavailableError
from coxswain.gateway.keyring import KEPT_SECONDS, Keyring, KeyUnusableError

TYPE = "coxswain.dev/channel"


class Vault:
    """One Secret, which may be changed; counts how often it was asked, and tells the time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self.error: Exception | None = None
        self.secret: dict[str, Any] = {"type": TYPE}
        self.put(key="one")

    def put(self, **data: str) -> None:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
        self.secret = {**self.secret, "data": encoded}

    async def read(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if self.error is not None:
            raise self.error
        return self.secret

    def keyring(self, refused_seconds: float = 0.0) -> Keyring:
        return Keyring(self.read, TYPE, refused_seconds=refused_seconds, clock=lambda: self.now)


def upper(text: str) -> str:
    if not text.isalpha():
        raise ValueError("no letters")
    return text.upper()


async def test_the_current_key_comes_first_and_then_the_previous_one() -> None:
    vault = Vault()
    vault.put(key="new", previousKey="old")
    assert await vault.keyring().find("team", "hooks", upper) == ("NEW", "OLD")
    assert vault.asked == ["/api/v1/namespaces/team/secrets/hooks"]


async def test_keys_are_held_for_a_while_and_then_read_anew() -> None:
    vault = Vault()
    ring = vault.keyring()
    await ring.find("team", "hooks", upper)
    vault.put(key="two")
    vault.now += KEPT_SECONDS - 1
    assert await ring.find("team", "hooks", upper) == ("ONE",)
    vault.now += 1
    assert await ring.find("team", "hooks", upper) == ("TWO",)
    assert len(vault.asked) == 2


@pytest.mark.parametrize("broken", ["missing", "forbidden", "type", "field", "text", "key"])
async def test_a_refusal_says_why_and_is_held_as_long_as_wanted_so_that_nobody_is_asked_again(
    broken: str,
) -> None:
    vault = Vault()
    good = vault.secret
    match broken:
        case "missing":
            vault.error = NotFoundError("no")
        case "forbidden":
            vault.error = ForbiddenError("no")
        case "type":
            vault.secret = {**good, "type": "Opaque"}
        case "field":
            vault.put(other="one")
        case "text":
            vault.secret = {**good, "data": {"key": "/w=="}}
        case _:
            vault.put(key="s3cr3t!")
    ring = vault.keyring(refused_seconds=5.0)
    for _ in range(3):
        with pytest.raises(KeyUnusableError) as refused:
            await ring.find("team", "hooks", upper)
        assert refused.value.is_missing == (broken in ("missing", "forbidden"))
        assert "s3cr3t" not in refused.value.message
    assert len(vault.asked) == 1
    vault.secret, vault.error = good, None
    vault.now += 5.0
    assert await ring.find("team", "hooks", upper) == ("ONE",)


async def test_a_refusal_that_is_not_to_be_held_is_not() -> None:
    vault = Vault()
    vault.put(key="s3cr3t!")
    ring = vault.keyring()
    with pytest.raises(KeyUnusableError):
        await ring.find("team", "hooks", upper)
    vault.put(key="mended")
    assert await ring.find("team", "hooks", upper) == ("MENDED",)


async def test_while_nobody_can_say_nothing_is_held() -> None:
    vault = Vault()
    vault.error = UnavailableError("away")
    ring = vault.keyring(refused_seconds=5.0)
    with pytest.raises(UnavailableError):
        await ring.find("team", "hooks", upper)
    vault.error = None
    assert await ring.find("team", "hooks", upper) == ("ONE",)


async def test_what_is_no_key_for_one_is_one_for_another_and_both_are_answered_from_one_reading() -> (
    None
):
    vault = Vault()
    vault.put(key="word")
    ring = vault.keyring(refused_seconds=5.0)

    def number(text: str) -> int:
        return int(text)

    for _ in range(3):
        with pytest.raises(KeyUnusableError):
            await ring.find("team", "hooks", number)
        assert await ring.find("team", "hooks", upper) == ("WORD",)
        vault.now += 1
    assert len(vault.asked) == 1
    vault.put(key="12")
    vault.now += 2
    assert await ring.find("team", "hooks", number) == (12,)
