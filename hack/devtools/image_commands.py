"""The command of hack/images."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from devtools import console, provider
from devtools.errors import ToolError
from devtools.images import catalog, store

DESCRIPTION = """Builds the project's images, with docker where it answers, else with buildah.
An image is tagged with the digest of its content and built only if that tag is missing.
Prints name=image lines."""


def main(arguments: Sequence[str]) -> int:
    """Build, load if asked to, print; 0 is well, 1 is an error that was explained."""
    options = _parser().parse_args(arguments)
    return console.run(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hack/images", description=DESCRIPTION)
    parser.add_argument("--load", action="store_true", help="also load them into the cluster")
    parser.add_argument("--refs", action="store_true", help="only print; build nothing")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write {name: image} as well")
    parser.add_argument("--kubeconfig", metavar="FILE", help="the cluster to load into")
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(catalog.PROJECT))
    return parser


def _run(options: argparse.Namespace) -> None:
    names: Sequence[str] = options.names or catalog.PROJECT
    unknown = set(names) - {*catalog.PROJECT, *catalog.NODE}
    if unknown:
        raise ToolError(f"no image {sorted(unknown)[0]}", f"images: {', '.join(catalog.PROJECT)}")
    refs = {name: catalog.find(name).ref if options.refs else store.ensure(name) for name in names}
    if options.load:
        cluster = provider.choose(options.kubeconfig)
        for ref in refs.values():
            cluster.load(ref)
    if options.json:
        options.json.write_text(json.dumps(refs, indent=1) + "\n")
    for name, ref in refs.items():
        print(f"{name}={ref}")
