"""docs/settings.md and docs/values.md: every setting of every process, and every value of the chart."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import PydanticUndefined

from devtools import charts, described, processes
from devtools.markdown import table
from devtools.processes import Variable

CHART = charts.CHARTS / "coxswain"
SCHEMA = CHART / "values.schema.json"
VALUES = CHART / "values.yaml"
NAMED = re.compile(r"\bCOXSWAIN_[A-Z0-9_]+\b")
WIDTH = 60


def settings_page() -> str:
    """docs/settings.md."""
    shared, alone = _sorted()
    pages = [_SETTINGS_HEAD, "## In several processes\n", _rows(shared, shows_processes=True)]
    for process, rows in alone.items():
        pages += [f"## {process}\n", f"{processes.summary(process)}\n", _rows(rows)]
    return "\n".join(pages)


def values_page() -> str:
    """docs/values.md."""
    root, defaults = schema(), yaml.safe_load(VALUES.read_text())
    rows = [
        (
            f"`{path}`",
            _cell(described.kind(node, root)),
            _default_of(path, defaults),
            _cell(node.get("description", "")),
        )
        for path, node, _ in described.leaves(root)
    ]
    return f"{_VALUES_HEAD}\n{table(('value', 'what', 'default', 'meaning'), rows)}"


def schema() -> dict[str, Any]:
    """The schema of the chart's values."""
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    return found


def names_of_the_chart() -> str:
    """For the chart itself: what its templates give a process, and what may be given beside that."""
    given = _given()
    found = {
        name: {
            "given": sorted(known & given),
            "more": sorted(known - given),
        }
        for name in processes.WITH_EXTRA
        if (known := {each.name for each in processes.variables(name)})
    }
    return json.dumps(found, indent=2) + "\n"


def _given() -> set[str]:
    """The variables that stand in the templates. One that stands there for any process has its value."""
    files = sorted((CHART / "templates").rglob("*"))
    texts = [path.read_text() for path in files if path.is_file()]
    return {name for text in texts for name in NAMED.findall(text)}


Rows = list[tuple[Variable, list[str]]]


def _sorted() -> tuple[Rows, dict[str, Rows]]:
    """What means the same in several processes, and what each has alone."""
    found: dict[tuple[str, ...], Rows] = defaultdict(list)
    for process in processes.PROCESSES:
        for each in processes.variables(process):
            found[_identity(each)].append((each, [process]))
    shared: Rows = []
    alone: dict[str, Rows] = {process: [] for process in processes.PROCESSES}
    for rows in found.values():
        names = [name for _, given in rows for name in given]
        if len(names) > 1:
            shared.append((rows[0][0], names))
        else:
            alone[names[0]].append(rows[0])
    return shared, alone


def _identity(each: Variable) -> tuple[str, ...]:
    what = described.kind(each.schema, each.root)
    return each.name, what, _default(each), str(each.field.description)


def _rows(found: Rows, *, shows_processes: bool = False) -> str:
    given = _given()
    head = ["variable", "what", "default", "meaning", "in the chart"]
    rows = []
    for each, names in found:
        place = "a value" if each.name in given else "`extraEnv`"
        row = [
            f"`{each.name}`",
            _cell(described.kind(each.schema, each.root)),
            _default(each),
            _cell(each.field.description or ""),
            "by the operator" if names == ["agent"] else place,
        ]
        rows.append([*row, ", ".join(names)] if shows_processes else row)
    return table([*head, "processes"] if shows_processes else head, rows)


def _default(each: Variable) -> str:
    if each.field.is_required():
        return "**required**"
    found = each.field.get_default(call_default_factory=True, validated_data={})
    if found in (None, PydanticUndefined):
        return ""
    return _code(str(found) if isinstance(found, Path) else found)


def _default_of(path: str, values: Any) -> str:
    """Where the values have one; what stands inside a list or map has none."""
    if "[]" in path or ".*" in path:
        return ""
    for part in path.split("."):
        if not isinstance(values, dict) or part not in values:
            return ""
        values = values[part]
    return "**required**" if path == "mode" else _code(values)


def _code(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= WIDTH else "see `values.yaml`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_SETTINGS_HEAD = """<!-- Made by hack/generate from the models of the settings; do not edit. -->
# Settings

Every setting of every process. A process reads them once, when it starts: from its environment by the names below, and
what is not there from the TOML file that `COXSWAIN_CONFIG_FILE` names, by the same name in small letters without
`COXSWAIN_`. The environment beats the file. A process that finds one missing, wrong, unknown in the file or in
contradiction to another does not start: it names all of them at once and ends with 78. Lists and maps are JSON in the
environment.

*In the chart*: `a value` is given by [a value of the chart](values.md); all others go into the process's `extraEnv`.
The chart refuses a name in `extraEnv` that the process does not read, or that has a value. What a process really runs
with is at `GET /v1/config`, what can be changed while it runs at `GET /v1/flags` ([production](production.md)).
"""
_VALUES_HEAD = """<!-- Made by hack/generate from charts/coxswain/values.schema.json and values.yaml; do not edit. -->
# Values of the chart coxswain

`[]` stands for each item of a list, `*` for each name of a map. An unknown value is refused, a wrong one with its path,
and values that contradict each other all at once by their names. `values.yaml` says more of each.
"""
