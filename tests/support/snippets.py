"""The Python that a page of the docs shows, run as it stands there."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def of(page: str) -> dict[str, Any]:
    """The names that the page's Python defines."""
    found: dict[str, Any] = {}
    for block in BLOCK.findall((DOCS / page).read_text()):
        exec(compile(block, page, "exec"), found)  # noqa: S102 - our own page
    return found
