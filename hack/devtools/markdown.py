"""Tables in pages of the documentation, and the part of a page that is made."""

from collections.abc import Iterable, Sequence

from devtools.errors import ToolError


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_part(page: str, name: str, text: str) -> str:
    """The page with this text between its marks ``<!-- name: ... -->`` and ``<!-- end of name -->``.

    Raises ToolError where it has not got them.
    """
    head, begin, rest = page.partition(f"<!-- {name}:")
    note, close, rest = rest.partition("-->\n")
    _, end, tail = rest.partition(f"<!-- end of {name} -->")
    if not (begin and close and end):
        raise ToolError(
            f"a page has no part <!-- {name}: ... --> with <!-- end of {name} -->", "mark it"
        )
    return f"{head}{begin}{note}{close}{text}{end}{tail}"
