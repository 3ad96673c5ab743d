"""The images by name, and how the context of each is made.

Ours are ordinary Containerfiles under `images/`. The node's own (pause, coredns, local-path) hold
one program each, built from the pinned Go modules, because no registry is in reach there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devtools import places, programs, shell
from devtools.images import base, contents

PROJECT = ("operator", "agent", "postgres")
NODE = ("base", "pause", "coredns", "local-path")
PREFIX = "localhost/coxswain"

_SCRATCH = {
    "pause": 'FROM scratch\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n',
    "coredns": 'FROM scratch\nCOPY coredns /coredns\nUSER 65532:65532\nENTRYPOINT ["/coredns"]\n',
    "local-path": (
        "FROM scratch\nCOPY local-path-provisioner /local-path-provisioner\n"
        'USER 65532:65532\nENTRYPOINT ["/local-path-provisioner"]\n'
    ),
}


@dataclass(frozen=True)
class Image:
    """An image that can be built: its name with its digest, and who fills an empty context."""

    name: str
    ref: str
    prepare: Callable[[Path], None]
    on_base: bool = False


def find(name: str) -> Image:
    """The image by its short name, with today's digest."""
    if name == "base":
        return _base()
    return _program(name) if name in _SCRATCH else _project(name)


def _project(name: str) -> Image:
    path = Path("images") / name / "Containerfile"
    inputs = contents.sources((places.REPOSITORY / path).read_text())
    files = sorted({path, *contents.files(places.REPOSITORY, inputs)})
    salt = _base_digest()

    def prepare(context: Path) -> None:
        contents.stage(places.REPOSITORY, files, context)
        (context / path).rename(context / "Containerfile")

    ref = f"{PREFIX}/{name}:{contents.digest(places.REPOSITORY, files, salt)}"
    return Image(name, ref, prepare, on_base=True)


def _base() -> Image:
    ref = f"{PREFIX}/base:{_base_digest()}"

    def prepare(context: Path) -> None:
        context.mkdir(parents=True)

    return Image("base", ref, prepare)


def _base_digest() -> str:
    files = contents.files(places.REPOSITORY, ["images/base"])
    return contents.digest(places.REPOSITORY, files, base.RELEASE)


def _program(name: str) -> Image:
    group = "kubernetes" if name == "pause" else name
    ref = f"{PREFIX}/{name}:{programs.home(group).name.rpartition('-')[2]}"

    def prepare(context: Path) -> None:
        context.mkdir(parents=True)
        (context / "Containerfile").write_text(_SCRATCH[name])
        if name == "pause":
            source = programs.share(group) / "pause.c"
            shell.run(["gcc", "-Os", "-static", "-o", context / "pause", source])
            return
        for program in programs.ensure(group).iterdir():
            (context / program.name).write_bytes(program.read_bytes())
            (context / program.name).chmod(0o755)

    return Image(name, ref, prepare)
