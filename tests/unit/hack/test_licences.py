"""Which licences are let through."""

import tomllib
from email.message import Message

import pytest

from devtools import licences
from devtools.licences import Rules

RULES = Rules(
    frozenset({"MIT", "Apache-2.0"}), {"MIT License": "MIT", "Apache": "Apache-2.0"}, {"odd": "X-1"}
)


def package(**headers: str | list[str]) -> Message:
    """Metadata; underscores in names stand for hyphens."""
    made = Message()
    for name, given in headers.items():
        for each in [given] if isinstance(given, str) else given:
            made[name.replace("_", "-")] = each
    return made


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("MIT AND (GPL-2.0-only OR Apache-2.0)", True),
        ("(MIT AND GPL-2.0-only) OR Apache-2.0", True),
        ("MIT AND Apache-2.0 OR GPL-2.0-only", True),
        ("GPL-2.0-only OR MIT AND X-1", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_an_expression_is_good_where_one_reading_of_it_is(expression: str, *, wanted: bool) -> None:
    assert licences.is_allowed(expression, RULES.allowed) is wanted


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (package(License_Expression="MIT", License="GPL"), "MIT"),
        (package(License="MIT License"), "MIT"),
        (package(License="MIT OR Apache-2.0"), "MIT OR Apache-2.0"),
        (package(Classifier=["License :: OSI Approved :: MIT License", "Topic :: X"]), "MIT"),
        (
            package(Classifier=["License :: OSI Approved :: MIT License", "License :: GPLv3"]),
            "MIT AND GPLv3",
        ),
        (
            package(
                License="Permission is\nhereby", Classifier="License :: OSI Approved :: Apache"
            ),
            "Apache-2.0",
        ),
        (package(License="MIT License\n\nPermission is"), "MIT"),
        (package(License="GPL", Classifier="License :: OSI Approved :: MIT License"), "GPL"),
        (package(), "unknown"),
    ],
)
def test_a_package_says_its_licence_in_one_of_three_places(found: Message, wanted: str) -> None:
    assert licences.said_by(found, RULES.names) == wanted


def test_each_package_that_is_not_good_is_named() -> None:
    lock = 'good==1 \\\n    --hash=x\nodd==1\nbad==1\nnew==2\nelsewhere==1 ; sys_platform == "win32" \\\n'
    installed = {
        "good": package(License_Expression="MIT"),
        "odd": package(License_Expression="X-1"),
        "bad": package(License_Expression="AGPL-3.0-only"),
    }
    found = list(licences.faults(lock, installed, RULES))
    assert [each.split()[0] for each in found] == ["bad", "new"]
    assert "AGPL-3.0-only" in found[0]


def test_an_exception_is_for_one_licence_and_goes_with_its_package() -> None:
    changed = {"odd": package(License_Expression="X-2")}
    assert "X-1, and is X-2 now" in next(licences.faults("odd==1\n", changed, RULES))
    assert "in no lock any more" in next(licences.faults("", {}, RULES))


def test_no_licence_that_binds_other_peoples_code_is_allowed_and_every_exception_has_a_reason() -> (
    None
):
    page = tomllib.loads(licences.RULES.read_text())
    said = [*page["allowed"], *page["names"].values()]
    said += [each["licence"] for each in page["exceptions"].values()]
    assert not [each for each in said if "GPL" in each or "SSPL" in each]
    assert set(licences.rules().exceptions) == set(page["exceptions"])
    assert licences.rules().allowed
