"""The Ed25519 keys that seal the audit log: read from a file, sign, and tell who signed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
ID_LENGTH = 16
FORMER = "former"


@dataclass(frozen=True)
class PublicKey:
    """What a signature is verified with."""

    content: bytes

    @property
    def id(self) -> str:
        """The name of the key in seals: the beginning of its SHA-256."""
        return hashlib.sha256(self.content).hexdigest()[:ID_LENGTH]

    @property
    def text(self) -> str:
        """In hexadecimal."""
        return self.content.hex()

    def verifies(self, signature: str, signed: bytes) -> bool:
        """Whether this key made the signature, which is in hexadecimal."""
        try:
            Ed25519PublicKey.from_public_bytes(self.content).verify(
                bytes.fromhex(signature), signed
            )
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SealingKeys:
    """The key that signs, and the public keys of those that did before it. No repr shows it."""

    _private: Ed25519PrivateKey = field(repr=False)
    public: PublicKey
    former: tuple[PublicKey, ...] = ()

    def sign(self, signed: bytes) -> str:
        """The signature in hexadecimal."""
        return self._private.sign(signed).hex()

    def verifies(self, key_id: str, signature: str, signed: bytes) -> bool:
        """Whether we, or a former key of ours, signed this."""
        return is_signed(key_id, signature, signed, (self.public, *self.former))


def read(text: str) -> SealingKeys:
    """The content of a key file: 64 digits of the private key; each line ``former`` and a public key.

    Raises ValueError, which says what is wrong and shows no key.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    private = Ed25519PrivateKey.from_private_bytes(_content(lines[0], "line 1"))
    former = []
    for number, line in enumerate(lines[1:], 2):
        word, _, key = line.partition(" ")
        if word != FORMER:
            raise ValueError(f"line {number} does not begin with '{FORMER} '")
        former.append(PublicKey(_content(key.strip(), f"line {number}")))
    public = PublicKey(private.public_key().public_bytes_raw())
    return SealingKeys(private, public, tuple(former))


def read_public(text: str) -> tuple[PublicKey, ...]:
    """Public keys, one a line. Raises ValueError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(PublicKey(_content(line, f"line {n}")) for n, line in enumerate(lines, 1))


def is_signed(key_id: str, signature: str, signed: bytes, keys: Sequence[PublicKey]) -> bool:
    """Whether the key of this id is among these and made the signature."""
    return any(key.id == key_id and key.verifies(signature, signed) for key in keys)


def _content(text: str, place: str) -> bytes:
    try:
        content = bytes.fromhex(text)
    except ValueError:
        content = b""
    if len(content) != KEY_BYTES:
        raise ValueError(f"{place} is not {2 * KEY_BYTES} hexadecimal digits")
    return content
