"""The charts: found, rendered, linted, and checked against the schemas of our own API server."""

import tempfile
from pathlib import Path

from devtools import checkov, console, places, programs, schemas, shell
from devtools.controlplane import ControlPlane
from devtools.monitoring import kinds

CHARTS = places.REPOSITORY / "charts"
CRDS = places.REPOSITORY / "crds"
EXAMPLES = places.REPOSITORY / "docs" / "examples"
NAMESPACE = "coxswain-system"
GROUP = "coxswain.dev"
MONITORING = f"{kinds.GROUP}/v1"


def all_charts() -> list[Path]:
    """The folder of each chart."""
    return sorted(path.parent for path in CHARTS.glob("*/Chart.yaml"))


def values_of(chart: Path) -> list[Path]:
    """The value files that a chart is rendered with, one at a time; without any it needs none."""
    return sorted((chart / "ci").glob("*.yaml"))


def cases(chart: Path) -> list[tuple[Path, ...]]:
    """The sets of values that a chart is tried with."""
    return [(path,) for path in values_of(chart)] or [()]


def render(chart: Path, *values: Path, monitored: bool = False) -> str:
    """The chart's manifests; ``monitored``: for a cluster that has the kinds of the Prometheus operator."""
    words: list[str | Path] = [programs.tool("helm"), "template", "coxswain", chart]
    words += ["--namespace", NAMESPACE, "--include-crds"]
    words += ["--api-versions", MONITORING] if monitored else []
    for path in values:
        words += ["--values", path]
    return shell.run(words)


def verify() -> None:
    """Lint every chart, hold what it renders and every example against real schemas, and against checkov."""
    with tempfile.TemporaryDirectory(prefix="coxswain-verify-") as name:
        folder = Path(name)
        rendered = {chart.name: _rendered(chart, folder) for chart in all_charts()}
        files = [path for paths in rendered.values() for path in paths]
        files += sorted(EXAMPLES.rglob("*.yaml"))
        if files:
            _conform(files, folder)
        # The other chart holds the kinds alone, of which checkov knows nothing.
        checkov.verify(rendered["coxswain"])


def _rendered(chart: Path, folder: Path) -> list[Path]:
    written = []
    with console.step(f"helm lint {chart.name}"):
        for values in cases(chart):
            words: list[str | Path] = [programs.tool("helm"), "lint", "--strict", chart]
            shell.run([*words, *(word for path in values for word in ("--values", path))])
            target = folder / f"{chart.name}-{values[0].stem if values else 'defaults'}.yaml"
            target.write_text(render(chart, *values, monitored=True))
            written.append(target)
    return written


def _conform(files: list[Path], folder: Path) -> None:
    exported = folder / "schemas"
    with ControlPlane(folder / "plane") as plane, console.step("export the API server's schemas"):
        kubectl: list[str | Path] = [programs.tool("kubectl"), "--kubeconfig", plane.kubeconfig]
        definitions = sorted(CRDS.glob("*.yaml"))
        for path in definitions:
            shell.run([*kubectl, "apply", "--server-side", "-f", path])
        if definitions:
            crds = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]
            shell.run([*kubectl, *crds])
        schemas.await_kinds(plane, GROUP, len(definitions))
        schemas.export(plane, exported)
    kinds.write(exported)
    with console.step(f"kubeconform {len(files)} files"):
        words: list[str | Path] = [programs.ensure("kubeconform") / "kubeconform", "-strict"]
        words += ["-summary", "-schema-location", f"{exported}/{schemas.LOCATION}", *files]
        console.say(shell.run(words).strip())
