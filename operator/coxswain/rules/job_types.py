"""Job types: from the data of a ConfigMap to what a Job of that type really does.

All that refuses a type or an input is said here once, so that the API's 422 and the condition of an
applied Job have the same text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from coxswain import names
from coxswain.api import payload
from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.job import JobSpec, Retry
from coxswain.api.job_type import JobTypeSpec
from coxswain.api.kind import field_path
from coxswain.errors import UserError
from coxswain.rules import schemas, templates
from coxswain.rules.built_in_types import BUILT_IN

UNKNOWN = "job_type_unknown"
DISABLED = "job_type_disabled"
WRONG = "job_type_wrong"
INPUT_INVALID = "input_invalid"
OUTPUT_INVALID = "OutputInvalid"
PROMPT_CHARACTERS = 65_536
HANDLER = ("command", "image", "prompt")
"""The keys that together say who does the work."""
_TEXTS = ("description", "image", "prompt")

Data = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A Job as its type makes it: with a command or prompt, its defaults, and its type."""

    spec: JobSpec
    type: JobTypeSpec


def of_map(name: str, raw: Mapping[str, Any] | None) -> JobTypeSpec | UserError | None:
    """A type by what the API server has under its name; the error says why it is wrong."""
    if raw is not None and names.LABEL_JOB_TYPE not in (raw["metadata"].get("labels") or {}):
        raw = None
    data = data_of(name, None if raw is None else raw.get("data") or {})
    if data is None:
        return None
    try:
        return read(name, data)
    except UserError as error:
        return error


def data_of(name: str, found: Data | None) -> Data | None:
    """What is known of a type: what its ConfigMap says, over what is built in; None of neither."""
    base = BUILT_IN.get(name)
    if base is None or found is None:
        return base if found is None else found
    if any(key in found for key in HANDLER):
        base = {key: text for key, text in base.items() if key not in HANDLER}
    return {**base, **found}


def read(name: str, data: Data) -> JobTypeSpec:
    """A type from its data. Raises UserError job_type_wrong that names the key."""
    raw: dict[str, Any] = {}
    for key, text in data.items():
        raw[key] = text if key in _TEXTS else _json(name, key, text)
    try:
        found = JobTypeSpec.model_validate_json(payload.canonical(raw), strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise _wrong(name, f"{field_path('data', first['loc'])}: {first['msg']}") from error
    return checked(name, found)


def checked(name: str, found: JobTypeSpec) -> JobTypeSpec:
    """The type, if its schemas and its handler are right too."""
    try:
        schemas.check(found.input_schema, "data.inputSchema")
        if found.output_schema is not None:
            schemas.check(found.output_schema, "data.outputSchema")
    except UserError as error:
        raise _wrong(name, error.message) from error
    named = templates.fields(found.command or [found.prompt or ""])
    missing = sorted(named - set(found.input_schema.get("properties", {})))
    if missing:
        text = f"the handler names {missing[0]}, which inputSchema has no property for"
        raise _wrong(name, text)
    half = templates.half_arguments(found.command or [])
    if half:
        raise _wrong(name, f"data.command: a field stands alone in its argument: {half[0][:100]}")
    return found


def to_data(found: JobTypeSpec) -> dict[str, str]:
    """The data of a ConfigMap for a type."""
    return encoded(found.to_wire())


def encoded(fields: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a type as the texts of a ConfigMap."""
    return {
        key: value if key in _TEXTS else json.dumps(value, ensure_ascii=False)
        for key, value in fields.items()
    }


def resolve(workspace: str, job: JobSpec, found: JobTypeSpec | UserError | None) -> Resolved:
    """The Job with its type applied. Raises UserError with the field of the spec that is wrong."""
    if job.type is None:
        raise ValueError("this Job has no type")
    if found is None:
        raise _unknown(workspace, job.type)
    if isinstance(found, UserError):
        raise UserError(f"spec.type: {found.message}", code=found.code, field="spec.type")
    if not found.enabled:
        text = f"spec.type: job type '{job.type}' is disabled in workspace '{workspace}'"
        advice = f'ask for enabled: "true" in ConfigMap {names.job_type_map(job.type)}'
        raise UserError(f"{text}; {advice}", code=DISABLED, field="spec.type")
    given = _input(job)
    wrong = schemas.problems(found.input_schema, given, "spec.input")
    if wrong is not None:
        raise UserError(wrong, code=INPUT_INVALID, field="spec.input")
    return Resolved(_applied(job, found, given), found)


def check_output(result: RunResult, schema: dict[str, Any] | None) -> RunResult:
    """The result as it counts: a success whose output breaks the type's schema is a failure."""
    if schema is None or result.status is not ResultStatus.SUCCEEDED:
        return result
    wrong = _output_problem(result.output, schema)
    if wrong is None:
        return result
    change = {"status": ResultStatus.FAILED, "reason": OUTPUT_INVALID, "message": wrong[:4096]}
    return result.model_copy(update={**change, "output": None, "transient": False})


def _output_problem(text: str | None, schema: dict[str, Any]) -> str | None:
    if text is None:
        return "output: there is none, and the Job's type asks for one"
    try:
        value = payload.read(text, most_bytes=payload.OUTPUT_BYTES, field="output")
    except UserError as error:
        return error.message
    return schemas.problems(schema, value, "output")


def _input(job: JobSpec) -> dict[str, Any]:
    if job.input is None:
        return {}
    return payload.read_object(job.input, most_bytes=payload.INPUT_BYTES, field="spec.input")


def _applied(job: JobSpec, found: JobTypeSpec, given: dict[str, Any]) -> JobSpec:
    change: dict[str, Any] = {}
    if found.command is not None:
        change["command"] = templates.command(found.command, given)
    if found.prompt is not None:
        change["prompt"] = templates.prompt(found.prompt, given)
        if len(change["prompt"]) > PROMPT_CHARACTERS:
            text = f"spec.input: the prompt comes to more than {PROMPT_CHARACTERS} characters"
            raise UserError(text, code=INPUT_INVALID, field="spec.input")
    if job.timeout_seconds is None:
        change["timeout_seconds"] = found.timeout_seconds
    if job.retry == Retry() and found.retry is not None:
        change["retry"] = found.retry
    return job.model_copy(update=change)


def _json(name: str, key: str, text: str) -> Any:
    try:
        return payload.read(text, most_bytes=schemas.SCHEMA_BYTES, field=f"data.{key}")
    except UserError as error:
        raise _wrong(name, error.message) from error


def _wrong(name: str, why: str) -> UserError:
    text = f"job type '{name}' is itself wrong: {why}"
    return UserError(f"{text}; mend ConfigMap {names.job_type_map(name)}", code=WRONG)


def _unknown(workspace: str, name: str) -> UserError:
    known = ", ".join(sorted(BUILT_IN))
    text = f"spec.type: there is no job type '{name}' in workspace '{workspace}'"
    advice = f"make ConfigMap {names.job_type_map(name)}, or take one that is built in: {known}"
    return UserError(f"{text}; {advice}", code=UNKNOWN, field="spec.type")
