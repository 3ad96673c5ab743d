"""How an Agent or a job type names an image of its own: a reference with a tag or a digest."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

PLATFORM = "Platform"
"""In a job type, the platform's own image; no reference looks like that."""
MOST = 512

_WORD = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_HOST = rf"{_WORD}(\.{_WORD})*(:[0-9]{{1,5}})?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_TAG = ":[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
_DIGEST = "@sha256:[a-f0-9]{64}"
_REFERENCE = rf"({_HOST}/)?{_PART}(/{_PART})*({_TAG}({_DIGEST})?|{_DIGEST})"


def _of_type(value: str) -> str:
    if value != PLATFORM and re.fullmatch(_REFERENCE, value) is None:
        wanted = f"an image has a tag or a digest, such as ghcr.io/team/tool:1, or is {PLATFORM}"
        raise PydanticCustomError("image", "{wanted}", {"wanted": wanted})
    return value


ImageReference = Annotated[
    str, StringConstraints(min_length=1, max_length=MOST, pattern=f"^{_REFERENCE}$")
]
ImageOfType = Annotated[
    str, StringConstraints(min_length=1, max_length=MOST), AfterValidator(_of_type)
]
