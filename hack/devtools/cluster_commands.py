"""The commands of hack/cluster."""

import argparse
from collections.abc import Sequence

from devtools import console, groups, programs, provider
from devtools.errors import ToolError
from devtools.provider import Provider

DESCRIPTION = """A cluster for development and tests: one that exists (--kubeconfig or
COXSWAIN_KUBECONFIG), else kind where a container engine answers, else a native single node."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 is well, 1 is an error that was explained."""
    options = _parser().parse_args(arguments)
    return console.run(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hack/cluster", description=DESCRIPTION)
    parser.add_argument("--kubeconfig", metavar="FILE", help="use the cluster of this file")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "up": "make the cluster, or repair it",
        "down": "remove what `up` made",
        "status": "say how each part is; exit 1 unless all is well",
        "kubeconfig": "print the path of the administrator's kubeconfig",
        "path": "print the folders of kubectl, helm and kubeconform, for PATH",
    }.items():
        commands.add_parser(name, help=text)
    load = commands.add_parser("load", help="make a built image usable by the cluster's pods")
    load.add_argument("image", metavar="IMAGE")
    build = commands.add_parser("programs", help="build pinned programs into the cache")
    build.add_argument("groups", metavar="GROUP", nargs="*", help=", ".join(groups.BY_NAME))
    return parser


def _run(options: argparse.Namespace) -> None:
    if options.command == "programs":
        for name in options.groups or groups.NODE:
            print(programs.ensure(name))
    elif options.command == "path":
        tools = (programs.tool(name) for name in ("kubectl", "helm", "kubeconform"))
        print(":".join(dict.fromkeys(str(tool.parent) for tool in tools)))
    else:
        _on_cluster(options, provider.choose(options.kubeconfig))


def _on_cluster(options: argparse.Namespace, cluster: Provider) -> None:
    match options.command:
        case "up":
            with console.step(f"{cluster.name} up"):
                cluster.up()
            console.say(f"export KUBECONFIG={cluster.kubeconfig()}")
        case "down":
            cluster.down()
        case "status":
            _show(cluster)
        case "load":
            cluster.load(options.image)
        case "kubeconfig":
            if not cluster.kubeconfig().exists():
                raise ToolError("there is no cluster yet", "make one with hack/cluster up")
            print(cluster.kubeconfig())
        case other:
            raise ToolError(f"unknown command {other}")


def _show(cluster: Provider) -> None:
    parts = cluster.status()
    for name, well in parts.items():
        print(f"{'ok' if well else 'not ok':7} {name}")
    if not parts:
        raise ToolError(f"no {cluster.name}", "make one with hack/cluster up")
    if not all(parts.values()):
        raise ToolError(f"the {cluster.name} is not well", "hack/cluster up repairs it")
