"""Which image runs the program of an attempt, and whether the installation allows it."""

from collections.abc import Iterable

from coxswain.api.agent import AgentSpec
from coxswain.api.image import PLATFORM

NOT_ALLOWED = "ImageNotAllowed"
ANY = "*"
_HUB = "docker.io"
_HUB_OF_OLD = "index.docker.io"


def choose(of_type: str | None, agent: AgentSpec) -> str | None:
    """The image in full, by the Job's type, else by its Agent; None is the platform's own."""
    own = agent.runtime.image if agent.runtime is not None else None
    reference = of_type or own
    return None if reference is None or reference == PLATFORM else in_full(reference)


def in_full(reference: str) -> str:
    """With its registry, so that what is judged is what any node pulls: ``python:3`` is
    ``docker.io/library/python:3``.
    """
    first, slash, rest = reference.partition("/")
    if not slash or not _is_registry(first):
        first, rest = _HUB, reference
    if first == _HUB_OF_OLD:
        first = _HUB
    if first == _HUB and "/" not in rest:
        rest = f"library/{rest}"
    return f"{first}/{rest}"


def problem(image: str | None, allowed: Iterable[str]) -> str | None:
    """Why the installation does not let this image run; None where it does."""
    if image is None or any(_covers(prefix, image) for prefix in allowed):
        return None
    return (
        f"this installation does not allow image {image}: add it, or a part of its name up to a"
        " slash, to agents.allowedImages of the chart (COXSWAIN_ALLOWED_IMAGES of the operator)"
    )


def _covers(prefix: str, image: str) -> bool:
    """Only whole parts of the name count: what allows ``r/team`` allows no ``r/team-b``.

    A tag is taken as it stands: with a digest behind it a node pulls the digest, whatever the tag.
    """
    if prefix in (ANY, image):
        return True
    if not image.startswith(prefix):
        return False
    rest = image[len(prefix) :]
    is_tag = rest[0] == ":" and "/" not in rest
    is_digest = rest[0] == "@" and ":" not in prefix.rpartition("/")[2]
    return prefix.endswith("/") or rest[0] == "/" or is_tag or is_digest


def _is_registry(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost" or first != first.lower()
