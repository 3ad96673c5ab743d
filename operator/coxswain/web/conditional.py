"""Requests that depend on what the caller has seen: 304 where an answer is still the same.

Every GET that answers a whole thing has an ETag: the handler's own where the thing has a version, else a
hash of what is sent. 412 is the handler's: only it knows the version that a change goes by.
"""

import hashlib

from aiohttp import web

from coxswain.errors import UserError

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"
TAG_CHARACTERS = 32


def tags(header: str) -> list[str]:
    """The tags that a header names; weak ones as if they were strong."""
    return [each.strip().removeprefix("W/") for each in header.split(",")]


def tag_of(content: bytes) -> str:
    """A tag that is another where the content is."""
    return f'"{hashlib.sha256(content).hexdigest()[:TAG_CHARACTERS]}"'


def versioned(version: object, shown: bytes) -> str:
    """The tag of what shows more than has a version: a change goes by what stands before the plus."""
    return f'"{version}+{hashlib.sha256(shown).hexdigest()[:TAG_CHARACTERS]}"'


def version_tag(tag: str) -> str:
    """The part of a tag that says which version was seen: what a change may depend on."""
    version, plus, _ = tag.partition("+")
    return f'{version}"' if plus else tag


def sees(header: str, tag: str) -> bool:
    """Whether If-Match names the version of this tag, whatever else was shown with it."""
    given = [version_tag(each) for each in tags(header)]
    return "*" in given or version_tag(tag) in given


def answered(request: web.Request, response: web.Response) -> web.Response:
    """The answer with its tag, or 304 where the caller has it as it is."""
    content = response.body if isinstance(response.body, bytes) else b""
    tag = response.headers.get("ETag") or tag_of(content)
    wanted = tags(request.headers.get(IF_NONE_MATCH, ""))
    if tag in wanted or "*" in wanted:
        return web.Response(status=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response


def refuse_unheard(request: web.Request) -> None:
    """Raise UserError for an If-Match at a route that goes by no version: nothing would come of it."""
    if request.headers.get(IF_MATCH) is not None:
        text = "what this route changes has no version to go by; leave the header out"
        raise UserError(text, field=f"header.{IF_MATCH}")
