"""Programs that tests run inside pods, as ``python3 -c``; they know nothing but the standard library."""

from pathlib import Path


def source(name: str) -> str:
    """The text of one of them."""
    return (Path(__file__).parent / f"{name}.py").read_text()
