"""Files that are made from the types of the platform, and the check that they are fresh.

Unlike the rest of this package it needs the environment: it imports the platform.
"""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from coxswain.api import manifest, schema
from coxswain.api.callback import CallbackMessage
from devtools import (
    console,
    event_files,
    gitops,
    inventory,
    pages,
    places,
    processes,
    reference,
    score,
    sdk,
)
from devtools.errors import ToolError
from devtools.monitoring import catalogue, drawing, rules

NOTE = "# Made by hack/generate from operator/coxswain; do not edit.\n"
PAGE_NOTE = "<!-- Made by hack/generate from hack/devtools/monitoring; do not edit. -->\n"
HEALTH_NOTE = NOTE.replace("operator/coxswain", "docs/gitops/argocd/health.lua")
NOTE_OF_METRICS = PAGE_NOTE.replace("hack/devtools/monitoring", "operator/coxswain/telemetry")
RULES_NOTE = NOTE.replace("operator/coxswain", "hack/devtools/monitoring")
CRDS = Path("crds")
CHART = Path("charts/coxswain-crds/templates")
DASHBOARDS = Path("charts/coxswain/dashboards")
EXAMPLE = Path(".env.example")
MESSAGE = Path("docs/callback.schema.json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def files() -> dict[Path, str]:
    """Every generated file, by its path in the repository, with its text."""
    found = {
        EXAMPLE: NOTE + _example(),
        MESSAGE: _message(),
        **event_files.files(),
        Path("docs/settings.md"): reference.settings_page(),
        Path("docs/values.md"): reference.values_page(),
        Path("docs/inventory.json"): inventory.text(),
        Path("charts/coxswain/files/settings.json"): reference.names_of_the_chart(),
        Path("docs/errors.md"): pages.errors_page(),
        Path("docs/lifecycle.md"): pages.lifecycle_page(),
        Path("docs/permissions.md"): pages.permissions_page(),
        score.PAGE: score.page(),
        Path("docs/metrics.md"): NOTE_OF_METRICS + catalogue.page(),
        Path("docs/runbooks/README.md"): PAGE_NOTE + rules.index(),
        Path("docs/gitops/argocd/argocd-cm.yaml"): HEALTH_NOTE + gitops.settings(),
        Path("charts/coxswain/files/rules.yaml"): RULES_NOTE + rules.rule_file(),
    }
    for name, text in drawing.files().items():
        found[DASHBOARDS / name] = text
    found |= sdk.files()
    for kind in manifest.KINDS:
        definition = manifest.definition(kind)
        found[CRDS / f"{kind.plural}.yaml"] = NOTE + manifest.to_yaml(definition)
        found[CHART / f"{kind.plural}.yaml"] = NOTE + manifest.to_yaml(_kept(definition))
    return found


def write() -> None:
    """Write what differs; raise where an older reader of events would break."""
    event_files.require_readable()
    for path, text in files().items():
        target = places.REPOSITORY / path
        if not target.exists() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            console.say(f"wrote {path}")
    _keep_promises()


def check() -> None:
    """Raise if a file is not what would be written, or should not be there; print the difference.

    So does a setting or value that is gone without a word in the changelog.
    """
    wanted = files()
    stale = [path for path, text in wanted.items() if _differs(path, text)]
    extra = [path for path in _present() if path not in wanted]
    if stale or extra:
        names = ", ".join(str(path) for path in [*stale, *extra])
        raise ToolError(f"not what the types say: {names}", "run hack/generate")
    _keep_promises()


def _keep_promises() -> None:
    if found := inventory.all_faults():
        raise ToolError(
            "; ".join(found),
            f"keep it, or say so in the changelog: an item of its newest section that begins with {inventory.WORDS[0]}",
        )


def _differs(path: Path, text: str) -> bool:
    target = places.REPOSITORY / path
    present = target.read_text() if target.exists() else ""
    lines = difflib.unified_diff(
        present.splitlines(), text.splitlines(), str(path), "from the types", lineterm=""
    )
    difference = "\n".join(lines)
    if difference:
        console.say(difference)
    return present != text


def _present() -> Iterator[Path]:
    for folder, pattern in ((CRDS, "*.yaml"), (CHART, "*.yaml"), (DASHBOARDS, "*.json")):
        for path in sorted((places.REPOSITORY / folder).glob(pattern)):
            yield path.relative_to(places.REPOSITORY)
    yield from sdk.present()


def _kept(definition: dict[str, Any]) -> dict[str, Any]:
    """The chart's copy: uninstalling it must not delete every Agent, Job and Lease."""
    metadata = definition["metadata"]
    annotations = {**metadata["annotations"], "helm.sh/resource-policy": "keep"}
    return {**definition, "metadata": {**metadata, "annotations": annotations}}


def _message() -> str:
    """What receivers of callbacks may rely on; open, since a version only grows."""
    found = {"$schema": DIALECT, **schema.structural(CallbackMessage, defaults=False)}
    return json.dumps(found, indent=2) + "\n"


def _example() -> str:
    head = "# Every setting of every process. What is commented out has the value shown.\n"
    return head + "".join(_section(name) for name in processes.PROCESSES)


def _section(process: str) -> str:
    lines = [f"\n## {processes.PROCESSES[process].__name__}: {processes.summary(process)}"]
    for each in processes.variables(process):
        lines += [f"# {line}" for line in (each.field.description or "").splitlines() if line]
        lines.append(_variable(each.name, each.field))
    return "\n".join(lines) + "\n"


def _variable(variable: str, field: FieldInfo) -> str:
    if field.is_required():
        return f"{variable}="
    default = field.get_default(call_default_factory=True, validated_data={})
    shown = "" if default in (None, PydanticUndefined) else default
    is_plain = isinstance(shown, str | int | float | Path) and not isinstance(shown, bool)
    return f"#{variable}={shown if is_plain else json.dumps(shown)}"
