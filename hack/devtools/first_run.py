"""`hack/up` and `hack/down`: from nothing to an agent's answer, and back."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from devtools import console, example, places, programs, provider, release
from devtools.errors import ToolError
from devtools.existing import Existing
from devtools.kubectl import Kubectl
from devtools.provider import Provider

UP = """Makes a cluster, builds the images, installs the charts, runs docs/examples/first-answer and
prints the agent's answer. Safe to repeat and to kill; what is there already is kept."""
DOWN = "Removes what `hack/up` made. A cluster that it did not make only loses the platform."


def up(arguments: Sequence[str]) -> int:
    """Run `hack/up`."""
    parser = argparse.ArgumentParser(prog="hack/up", description=UP)
    _add_kubeconfig(parser)
    parser.add_argument("--values", metavar="FILE", type=Path, help="values of the chart, as JSON")
    options = parser.parse_args(arguments)
    return console.run(lambda: _up(options))


def down(arguments: Sequence[str]) -> int:
    """Run `hack/down`."""
    parser = argparse.ArgumentParser(prog="hack/down", description=DOWN)
    _add_kubeconfig(parser)
    options = parser.parse_args(arguments)
    return console.run(lambda: _down(provider.choose(options.kubeconfig)))


def _add_kubeconfig(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", metavar="FILE", help="use the cluster of this file")


def _up(options: argparse.Namespace) -> None:
    started = time.monotonic()
    cluster = provider.choose(options.kubeconfig)
    with console.step(f"{cluster.name} up"):
        cluster.up()
    with console.step("images"):
        refs = _images(cluster, options.values)
    kubectl = Kubectl(cluster.kubeconfig())
    chosen = release.values(refs, [example.WORKSPACE])
    if options.values:
        chosen |= json.loads(options.values.read_text())
    release.install(kubectl, chosen)
    print(example.tell(example.run(kubectl)))
    print(_next(kubectl))
    console.say(f"up in {time.monotonic() - started:.0f} s")


def _images(cluster: Provider, values: Path | None) -> dict[str, str]:
    if not isinstance(cluster, Existing):
        return release.images(cluster)
    if values is None or "image" not in json.loads(values.read_text()):
        raise ToolError(
            "images cannot be brought to a cluster that hack/cluster did not make",
            "push them (hack/images builds them), name them under image in a file of values,"
            " and give it with --values FILE",
        )
    return {}


def _down(cluster: Provider) -> None:
    if isinstance(cluster, Existing):
        kubectl = Kubectl(cluster.kubeconfig())
        example.remove(kubectl)
        release.uninstall(kubectl)
        console.say("the namespaces, the kinds and the records stay: they may be somebody's")
    with console.step(f"{cluster.name} down"):
        cluster.down()


def _next(kubectl: Kubectl) -> str:
    kubectl_program = programs.tool("kubectl")
    folder = f"export PATH={kubectl_program.parent}:$PATH\n  " if _is_ours(kubectl_program) else ""
    return f"""
Next
  {folder}export KUBECONFIG={kubectl.kubeconfig}
  kubectl get coxswain --namespace {example.WORKSPACE}
  kubectl describe {example.JOBS} --namespace {example.WORKSPACE}
  kubectl explain agents.coxswain.dev.spec

  kubectl port-forward --namespace {release.NAMESPACE} service/coxswain-api 8080:8080 &
  TOKEN=$(kubectl get secret coxswain-local-token --namespace {release.NAMESPACE} \\
    --output jsonpath='{{.data.token}}' | base64 -d)
{_call(is_secure=release.speaks_tls(kubectl))}

  hack/test     runs all tests        hack/down     removes everything"""


def _call(*, is_secure: bool) -> str:
    """How a person asks the API behind the forwarded port."""
    if not is_secure:
        return '  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/v1/events'
    return f"""\
  kubectl get secret {release.AUTHORITY_SECRET} --namespace {release.NAMESPACE} \\
    --output jsonpath='{{.data.ca\\.crt}}' | base64 -d > ca.crt
  curl --cacert ca.crt -H "Authorization: Bearer $TOKEN" https://localhost:8080/v1/events"""


def _is_ours(program: Path) -> bool:
    return places.cache() in program.parents
