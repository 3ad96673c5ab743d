"""Random specs of our kinds for hypothesis, made from the models: all that the schema lets through."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import ValidationError

from coxswain.api.agent import AgentSpec
from coxswain.api.job import JobSpec
from coxswain.api.kind import Agent, Job
from coxswain.api.meta import Model
from coxswain.api.quantity import MOST
from coxswain.api.schedule import ScheduleSpec
from coxswain.api.schema import Node, structural
from tests.support.builders import CREATED

Values = SearchStrategy[Any]

HANDLERS = ("prompt", "command", "steps", "type")
TRIGGERS = ("cron", "interval", "at", "onEvent", "webhook", "poll", "heartbeat")
EDGES = ("Skip", "Ignore")
RUNTIME_CLASSES = ("gvisor", "kata")
_DEVICES = ("nvidia.com/gpu", "example.com/fpga", "a-b.c/D_e.f")
_PLAIN = ("cpu", "memory", "ephemeral-storage")
_LABELS = ("zone", "kubernetes.io/arch", "example.com/pool", "A_b.c-D")
_SUFFIXES = ("", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti")
_QUANTITIES = st.one_of(
    st.integers(0, MOST),
    st.builds(lambda n, s: f"{n}{s}", st.integers(0, 4096), st.sampled_from(_SUFFIXES)),
    st.builds(
        lambda n, d, s: f"{n}.{d}{s}",
        st.integers(0, 99),
        st.integers(0, 999),
        st.sampled_from(_SUFFIXES),
    ),
)


@st.composite
def _steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps that name only those above them, which random names hardly do."""
    found: list[dict[str, Any]] = []
    for name in draw(
        st.lists(st.from_regex("[a-z]{1,3}", fullmatch=True), min_size=1, unique=True)
    ):
        work: dict[str, Any] = draw(st.sampled_from(({"prompt": "p"}, {"command": ["ls", "-a"]})))
        above = [each["name"] for each in found]
        named = draw(st.lists(st.sampled_from(above), unique=True)) if above else []
        edges = [{"name": each, "onFailure": draw(st.sampled_from(EDGES))} for each in named]
        found.append({"name": name, **work, **({"dependsOn": edges} if edges else {})})
    return found[:16]


_CHOSEN: dict[str, Values] = {
    "steps": _steps(),
    "runtimeClassName": st.sampled_from(RUNTIME_CLASSES),
    "requests": st.dictionaries(st.sampled_from(_PLAIN), _QUANTITIES),
    "limits.": st.dictionaries(st.sampled_from(_PLAIN + _DEVICES), _QUANTITIES),
    "host": st.sampled_from(
        ("api.example.com", "*.a-b.example", "x1.y2.z", "192.0.2.7", "fd00::1")
    ),
    "nodeSelector": st.dictionaries(
        st.sampled_from(_LABELS),
        st.from_regex(r"([A-Za-z0-9][-._A-Za-z0-9]{0,9}[a-z0-9])?", fullmatch=True),
    ),
}
"""What a schema cannot say or hypothesis would hardly find, by the name of the field."""

_MOMENTS = st.datetimes(datetime(1965, 1, 1), datetime(3005, 1, 1)).map(  # noqa: DTZ001
    lambda at: f"{at.isoformat()}+01:00"
)
_WORK = {"agentRef": {"name": "a"}, "title": "t", "prompt": "p"}
_CHOSEN |= {
    **dict.fromkeys(("at", "startAt", "endAt"), _MOMENTS),
    "labels": st.dictionaries(st.sampled_from(_LABELS), st.sampled_from(("", "a", "A.b-9"))),
    # A template holds all of a Job, which is drawn where Jobs are.
    "jobTemplate": st.sampled_from(
        (
            {"spec": _WORK},
            {"spec": {**_WORK, "leases": ["l"]}, "metadata": {"labels": {"zone": "a"}}},
            {"spec": {**_WORK, "timeoutSeconds": 9, "files": []}, "metadata": {}},
        )
    ),
}

_ALWAYS = ("resources", "sandbox", "scheduling", "nodeSelector")
"""Optional fields that shape the pod, so that most examples have them."""

names = st.from_regex(
    r"[a-z]([-a-z0-9]{0,3}[a-z0-9])?(\.[a-z0-9]{1,3}){0,2}", fullmatch=True
).flatmap(lambda short: st.sampled_from((short, (short + "-x" * 40)[:62].rstrip("-.") + "0")))
"""Names of Agents and Jobs, short ones and the longest."""


def of_model(model: type[Model]) -> SearchStrategy[dict[str, Any]]:
    """Specs that both the schema and the rules of the model let through, in their YAML form."""
    return _object(model, structural(model))


def agents() -> SearchStrategy[Agent]:
    """Random Agents, as stored."""
    return st.builds(_stored(Agent.parse, "Agent"), names, of_model(AgentSpec), st.uuids())


def jobs() -> SearchStrategy[Job]:
    """Random Jobs, as stored."""
    return st.builds(_stored(Job.parse, "Job"), names, of_model(JobSpec), st.uuids())


_ODD_VALUES: tuple[Any, ...] = (-1, 0, 1, 64, 301, 10**15, 1.5, True, "", "a", [], {}, ["a"])
_ODD_TEXTS = (
    *("", "a", "A", ".", "..", "a/..", "a/../b", "a b", "-a", "a-", "a.b", "a..b", "a\n", "a\0"),
    *("0", "00", "1e3", "1.", "0.0", "5m", "1Gi", "-1Gi", "1" * 16, "x" * 300, "default"),
    *("demo", "openai", "Localhost", "Persistent", "Exists", "NoExecute", "https://a/b", "s0:c1"),
)
_ODD_MOMENTS = (
    *("2026-02-30T08:00:00Z", "2026-11-29T08:00:00", "2026-11-29", "2026-11-29T24:00:00Z"),
    *("1970-01-01T00:00:00Z", "1970-01-01T01:00:00+02:00", "3000-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", "2026-11-29t08:00:00z", "2999"),
)
_ODD_LINES = (
    "0 9 * *",
    "0 9 * * * *",
    "0 9 30 2 *",
    "@never",
    "@DAILY",
    "0\t9 * * *",
    "\u0661 9 * * *",
)
_ODD_PLACES = (
    "https://a b/",
    "https://a/\u00a0",
    "ftp://a/",
    "https://a/#b",
    "../etc",
    "Mars/Base",
)
_ODD_KEYS = (
    "cpu",
    "pods",
    "x/y",
    "x/" + "y" * 64,
    "x" * 240 + "/y",
    "kubernetes.io/x",
    "requests.x/y",
)


@st.composite
def spoiled(draw: st.DrawFn, model: type[Model]) -> dict[str, Any]:
    """A good spec, most often with one odd value in it, which may be good there or not."""
    spec: dict[str, Any] = deepcopy(draw(of_model(model)))
    place: Any = spec
    if draw(st.integers(0, 5)) == 0:
        return spec
    while True:
        if place is not spec and isinstance(place, dict) and draw(st.integers(0, 5)) == 0:
            place[draw(st.sampled_from(_ODD_KEYS))] = 1
            return spec
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = draw(st.sampled_from(list(keys)))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner:
            odd = st.sampled_from(_ODD_VALUES)
            texts = st.sampled_from(_odd_texts(model))
            place[key] = draw(st.one_of(texts, texts, odd) if isinstance(inner, str) else odd)
            return spec
        place = inner


def _odd_texts(model: type[Model]) -> tuple[str, ...]:
    if model is ScheduleSpec:
        return (*_ODD_TEXTS, *_ODD_MOMENTS, *_ODD_LINES, *_ODD_PLACES)
    return _ODD_TEXTS


def _stored(parse: Callable[[dict[str, Any]], Any], kind: str) -> Callable[..., Any]:
    def build(name: str, spec: dict[str, Any], uid: Any) -> Any:
        metadata = {
            "name": name,
            "namespace": "team",
            "uid": str(uid),
            "creationTimestamp": CREATED,
        }
        return parse({"kind": kind, "metadata": metadata, "spec": spec})

    return build


def _object(model: type[Model], node: Node) -> SearchStrategy[dict[str, Any]]:
    required: dict[str, Values] = {}
    optional: dict[str, Values] = {}
    for field in model.model_fields.values():
        name = str(field.alias)
        child = node["properties"][name]
        is_map = "additionalProperties" in child
        values = _CHOSEN.get(f"{name}." if is_map and name == "limits" else name)
        if values is None:
            values = _values(field.annotation, child)
        (required if field.is_required() or name in _ALWAYS else optional)[name] = values
    found = st.fixed_dictionaries(required, optional=optional)
    if model is JobSpec:
        found = _with_one(HANDLERS, found, {**required, **optional})
    if model is ScheduleSpec:
        found = _with_one(TRIGGERS, found, {**required, **optional})
    return found.filter(lambda spec: _fits(model, spec))


def _with_one(
    names: tuple[str, ...], specs: SearchStrategy[dict[str, Any]], values: dict[str, Values]
) -> SearchStrategy[dict[str, Any]]:
    """A spec has exactly one of these; left to chance, most examples would be thrown away."""

    def chosen(spec: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
        dropped = {*names, *(() if name == "type" else ("input",))}
        return {**{key: each for key, each in spec.items() if key not in dropped}, name: value}

    one = st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), values[name]))
    return st.builds(lambda spec, which: chosen(spec, *which), specs, one)


def _fits(model: type[Model], spec: dict[str, Any]) -> bool:
    try:
        model.model_validate(spec)
    except ValidationError:
        return False
    return True


def _values(annotation: Any, node: Node) -> Values:
    annotation = _plain(annotation)
    if node.get("x-kubernetes-int-or-string"):
        return _QUANTITIES
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if get_origin(annotation) is list:
        (item,) = get_args(annotation)
        most = min(node.get("maxItems", 3), 3)
        return st.lists(
            _values(item, node["items"]), min_size=node.get("minItems", 0), max_size=most
        )
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return _object(annotation, node)
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.integers(node["minimum"], node["maximum"])
    return _texts(node)


def _texts(node: Node) -> Values:
    shortest, longest = node.get("minLength", 0), node["maxLength"]
    if "pattern" in node:
        found = st.from_regex(_short(node["pattern"]), fullmatch=True)
        return found.filter(lambda text: shortest <= len(text) <= longest)
    return st.text(min_size=shortest, max_size=min(longest, 40))


def _short(pattern: str) -> str:
    """The same with few repetitions, since hypothesis is slow with long strings."""
    bare = pattern.removeprefix("^").removesuffix("$")
    return (
        bare.replace("]*", "]{0,3}")
        .replace(")*", "){0,2}")
        .replace("]+", "]{1,6}")
        .replace("61", "3")
    )


def _plain(annotation: Any) -> Any:
    """Without Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        (kept,) = [each for each in get_args(annotation) if each is not type(None)]
        return _plain(kept)
    return annotation
