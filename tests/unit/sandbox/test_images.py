"""Which image runs an attempt, and which the installation allows."""

import pytest
from pydantic import TypeAdapter, ValidationError

from coxswain.api.image import ImageReference
from coxswain.sandbox import images
from tests.support import builders

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("python:3.13", "docker.io/library/python:3.13"),
        ("team/tool:1", "docker.io/team/tool:1"),
        ("docker.io/python:3", "docker.io/library/python:3"),
        ("index.docker.io/team/tool:1", "docker.io/team/tool:1"),
        ("ghcr.io/tool:1", "ghcr.io/tool:1"),
        ("localhost/tool:1", "localhost/tool:1"),
        ("registry:5000/tool:1", "registry:5000/tool:1"),
        (f"tool@{DIGEST}", f"docker.io/library/tool@{DIGEST}"),
    ],
)
def test_a_short_name_is_of_the_hub_whatever_a_node_would_make_of_it(
    reference: str, whole: str
) -> None:
    assert images.in_full(reference) == whole


@pytest.mark.parametrize(
    "reference",
    ["x:1", f"x@{DIGEST}", f"x:1@{DIGEST}", "a.b/c/d-e__f.g:V_1.0-x", "h:5000/x:1", "A.io/x:1"],
)
def test_a_reference_has_a_tag_or_a_digest(reference: str) -> None:
    assert TypeAdapter(ImageReference).validate_python(reference) == reference


@pytest.mark.parametrize(
    "reference",
    [
        "x",
        "h:5000/x",
        "x:",
        "X:1",
        "x/Y:1",
        "x:1/y",
        "x//y:1",
        "x:1\n",
        " x:1",
        "x:1@md5:00",
        "Platform",
    ],
)
def test_what_is_no_whole_reference_is_refused(reference: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ImageReference).validate_python(reference)


def test_the_type_goes_before_the_agent_and_may_want_the_platforms_own() -> None:
    plain, own = builders.agent().parsed.spec, builders.agent().with_image("a.io/x:1").parsed.spec
    assert images.choose(None, plain) is None
    assert images.choose(None, own) == "a.io/x:1"
    assert images.choose("b.io/y:2", own) == "b.io/y:2"
    assert images.choose("Platform", own) is None


@pytest.mark.parametrize(
    ("allowed", "image", "is_allowed"),
    [
        ((), "a.io/x:1", False),
        (("*",), "a.io/x:1", True),
        (("a.io/",), "a.io/x:1", True),
        (("a.io",), "a.io/x:1", True),
        (("a.io",), "a.io:5000/x:1", False),
        (("a.io",), "a.io.evil.example/x:1", False),
        (("a.io/team",), "a.io/team/x:1", True),
        (("a.io/team",), "a.io/team-b/x:1", False),
        (("a.io/team/x",), "a.io/team/x:1", True),
        (("a.io/team/x",), f"a.io/team/x@{DIGEST}", True),
        (("a.io/team/x:1",), "a.io/team/x:1", True),
        (("a.io/team/x:1",), "a.io/team/x:12", False),
        (("a.io/team/x:1",), f"a.io/team/x:1@{DIGEST}", False),
        (("a.io/team/x",), f"a.io/team/x:1@{DIGEST}", True),
        (("a.io:5000/x",), f"a.io:5000/x@{DIGEST}", True),
        ((f"a.io/team/x:1@{DIGEST}",), f"a.io/team/x:1@{DIGEST}", True),
        (("b.io/", "a.io/"), "a.io/x:1", True),
        (("docker.io/library/",), "docker.io/team/x:1", False),
    ],
)
def test_only_whole_parts_of_a_name_count(
    allowed: tuple[str, ...], image: str, is_allowed: bool
) -> None:
    assert (images.problem(image, allowed) is None) is is_allowed


def test_a_refusal_says_which_image_and_what_to_do() -> None:
    said = images.problem("a.io/x:1", ())
    assert said is not None
    assert "does not allow image a.io/x:1" in said
    assert "agents.allowedImages of the chart" in said


def test_the_platforms_own_image_needs_no_leave() -> None:
    assert images.problem(None, ()) is None


@pytest.mark.parametrize("bad", ["python", "ghcr.io/**", "a b", "", "https://a.io/", "/x"])
def test_a_listed_image_names_its_registry(bad: str) -> None:
    with pytest.raises(ValidationError):
        builders.sandbox_settings(allowed_images=[bad])


@pytest.mark.parametrize("good", ["*", "ghcr.io", "ghcr.io/", "localhost/x", "r:5000/a/b:1"])
def test_a_part_of_a_name_can_be_listed(good: str) -> None:
    assert builders.sandbox_settings(allowed_images=[good]).allowed_images == [good]
