"""A pipeline may own the charts: they render the same each time, and kustomize renders them too."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools import charts, gitops, programs, shell
from tests.support import chart

# What makes a render depend on the cluster, on chance or on the time.
UNSTEADY = re.compile(r"\b(lookup|now|rand[A-Z]\w*|uuidv4|gen[A-Z]\w*|htpasswd|bcrypt)\b")
MANIFESTS = sorted(gitops.FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("folder", charts.all_charts(), ids=lambda path: path.name)
def test_a_chart_is_rendered_the_same_each_time(folder: Path) -> None:
    for values in charts.cases(folder):
        assert charts.render(folder, *values) == charts.render(folder, *values)


def test_no_template_asks_the_cluster_the_clock_or_chance() -> None:
    found = [
        (path.name, word)
        for folder in charts.all_charts()
        for path in (folder / "templates").rglob("*")
        if path.is_file() and path.parent.parent.name != "coxswain-crds"
        for action in re.findall(r"\{\{.*?\}\}", path.read_text(), re.DOTALL)
        for word in UNSTEADY.findall(re.sub(r'"[^"]*"|/\*.*?\*/', "", action))
    ]
    assert found == []


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_sample_is_well_formed(path: Path) -> None:
    bodies: list[Any] = [each for each in yaml.safe_load_all(path.read_text()) if each]
    assert bodies
    if path.name != "values.yaml":
        assert all(each["apiVersion"] and each["kind"] for each in bodies)


def test_kustomize_renders_what_helm_renders() -> None:
    words: list[str | Path] = [programs.tool("kubectl"), "kustomize", "--enable-helm"]
    words += ["--helm-command", programs.tool("helm"), "--load-restrictor", "LoadRestrictionsNone"]
    text = shell.run([*words, gitops.FOLDER / "kustomize"])
    found = [each for each in yaml.safe_load_all(text) if each]
    values = gitops.FOLDER / "kustomize" / "values.yaml"
    wanted = [
        *chart.render(values, monitored=True),
        *yaml.safe_load_all(charts.render(charts.CHARTS / "coxswain-crds")),
    ]
    assert _names(found) == _names([each for each in wanted if each])


def test_no_kustomization_moves_what_the_charts_have_placed() -> None:
    """Up to 5.7 kustomize gives its namespace to what Helm rendered too; the one of the tests does not."""
    (path,) = gitops.FOLDER.rglob("kustomization.yaml")
    assert "namespace" not in yaml.safe_load(path.read_text())


def _names(bodies: list[Any]) -> set[tuple[str, str, str | None]]:
    """With their namespaces: those of a workspace are not the platform's."""
    metadata = [(each["kind"], each["metadata"]) for each in bodies]
    return {(kind, each["name"], each.get("namespace")) for kind, each in metadata}
