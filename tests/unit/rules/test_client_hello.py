"""Reading the server name that a real TLS client asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.rules import client_hello
from coxswain.rules.client_hello import NotAHelloError
from tests.support import hellos

NAME = "api.example.com"
HELLO = hellos.hello(NAME)
OTHER = b"\x00\x10\x00\x00\x0dother.example"


@pytest.mark.parametrize("newest", [True, False])
@pytest.mark.parametrize("name", [NAME, "a.b", "x" * 60 + "." + "y" * 60 + ".example", None])
def test_the_name_of_a_real_client_is_read(name: str | None, *, newest: bool) -> None:
    found = client_hello.read(hellos.hello(name, newest=newest))
    assert found is not None
    assert (found.server_name, found.is_encrypted) == (name, False)


@pytest.mark.parametrize("size", [len(HELLO) // 12, 300, 1000])
def test_a_hello_in_many_records_is_one(size: int) -> None:
    found = client_hello.read(hellos.in_records(HELLO, size))
    assert found is not None
    assert found.server_name == NAME


def test_no_beginning_of_a_hello_is_taken_for_a_whole_one() -> None:
    for length in range(len(HELLO)):
        assert client_hello.read(HELLO[:length]) is None


def test_what_follows_a_hello_changes_nothing() -> None:
    assert client_hello.read(HELLO + b"more") == client_hello.read(HELLO)


def test_an_encrypted_hello_is_noted() -> None:
    found = client_hello.read(hellos.with_extension(HELLO, 0xFE0D, b"\x00" * 40))
    assert found is not None
    assert found.is_encrypted


@pytest.mark.parametrize(
    "data",
    [
        hellos.in_records(HELLO, 7),
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH",
        b"\x16\x02\x01\x00\x05hello",
        b"\x15\x03\x01\x00\x02\x02\x00",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
        hellos.with_extension(HELLO, 0, OTHER),
        hellos.with_extension(hellos.hello(None), 0, b"\x00\x00"),
        hellos.with_extension(hellos.hello(None), 0, b""),
        hellos.with_extension(hellos.hello(None), 0, OTHER + b"x"),
        hellos.with_extension(hellos.hello(None), 0, b"\x00\x07\x00\x00\x01a\x00\x00\x01b"),
        hellos.with_extension(hellos.hello(None), 0, b"\x00\x04\x01\x00\x01a"),
        hellos.with_extension(hellos.hello(None), 0, b"\x00\x04\x00\x00\x01\xe4"),
    ],
)
def test_what_is_no_hello_is_refused(data: bytes) -> None:
    with pytest.raises(NotAHelloError):
        client_hello.read(data)


@given(st.binary(max_size=200), st.integers(0, len(HELLO)))
def test_no_bytes_are_an_error_of_another_sort(noise: bytes, place: int) -> None:
    for data in (noise, HELLO[:place] + noise + HELLO[place + len(noise) :]):
        try:
            client_hello.read(data)
        except NotAHelloError:
            continue
