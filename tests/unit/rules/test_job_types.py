"""Job types as data: what is refused, with which words, and what a Job of one comes to."""

import json
from typing import Any

import pytest

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.job import JobSpec, Retry
from coxswain.api.job_type import JobTypeSpec
from coxswain.errors import UserError
from coxswain.rules import job_types
from coxswain.rules.built_in_types import BUILT_IN

COUNT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def data(**fields: Any) -> dict[str, str]:
    """Keys of a type; None leaves one out."""
    known: dict[str, Any] = {"inputSchema": COUNT, "command": ["seq", "{{n}}"]}
    found = {key: each for key, each in {**known, **fields}.items() if each is not None}
    return job_types.encoded(found)


def config_map(**fields: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"coxswain.dev/job-type": "true"}}, "data": data(**fields)}


def job(name: str = "count", given: object = None, **spec: Any) -> JobSpec:
    text = None if given is None else json.dumps(given)
    known = {"agentRef": {"name": "a"}, "title": "t", "type": name}
    return JobSpec.model_validate({**known, **({} if text is None else {"input": text}), **spec})


def refusal(spec: JobSpec, found: JobTypeSpec | UserError | None) -> UserError:
    with pytest.raises(UserError) as caught:
        job_types.resolve("team", spec, found)
    return caught.value


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_type_is_right_and_has_a_contract(name: str) -> None:
    found = job_types.read(name, BUILT_IN[name])
    assert found.input_schema["type"] == "object"
    assert found.output_schema is not None or name == "command"
    assert found.enabled == (name != "ai.chat.generate")


def test_a_type_gives_handler_and_defaults() -> None:
    found = job_types.read("count", data(timeoutSeconds=7, retry={"maxAttempts": 4}))
    made = job_types.resolve("team", job(given={"n": 3}), found).spec
    assert made.command == ["seq", "3"]
    assert (made.timeout_seconds, made.retry.max_attempts) == (7, 4)


def test_what_a_job_says_itself_stands_above_its_type() -> None:
    found = job_types.read("count", data(timeoutSeconds=7, retry={"maxAttempts": 4}))
    own = job(given={"n": 3}, timeoutSeconds=9, retry={"maxAttempts": 2})
    made = job_types.resolve("team", own, found).spec
    assert (made.timeout_seconds, made.retry) == (9, Retry(max_attempts=2))


def test_a_prompt_takes_in_texts_as_they_are_and_values_as_json() -> None:
    schema: dict[str, Any] = {"properties": {"name": {}, "list": {}, "none": {}}}
    prompt = "Hello {{ name }}: {{list}}{{none}}."
    found = job_types.read("ask", job_types.encoded({"inputSchema": schema, "prompt": prompt}))
    made = job_types.resolve("team", job(given={"name": "{{list}}", "list": [1, "a"]}), found)
    assert made.spec.prompt == 'Hello {{list}}: [1,"a"].'
    assert made.spec.command is None


def test_a_list_becomes_arguments_and_nothing_of_the_input_is_read_by_a_shell() -> None:
    found = job_types.read("command", BUILT_IN["command"])
    made = job_types.resolve("team", job("command", {"argv": ["echo", "$(id)", "a b"]}), found)
    assert made.spec.command == ["echo", "$(id)", "a b"]


WRONG = [
    ({"inputSchema": {"type": "strin"}}, "data.inputSchema: "),
    ({"outputSchema": {"$ref": "http://x/"}}, "data.outputSchema/$ref"),
    ({"prompt": "and a prompt"}, "exactly one handler"),
    ({"command": []}, "data.command"),
    ({"command": ["sh", "-c", "echo {{n}}"]}, "a field stands alone in its argument"),
    ({"command": ["seq", "{{m}}"]}, "the handler names m"),
    ({"enabled": "yes"}, "data.enabled"),
    ({"retry": {"maxAttempts": 99}}, "data.retry.maxAttempts"),
    ({"image": "registry.example/x"}, "data.image: an image has a tag or a digest, such as"),
    ({"image": "x:1", "command": None, "prompt": "p"}, "exactly one handler"),
    ({"image": "Platform", "command": None}, "image Platform needs a command"),
    ({"grants": ["everything"]}, "data.grants[0]"),
]


@pytest.mark.parametrize(("fields", "why"), WRONG, ids=[why for _, why in WRONG])
def test_a_type_that_is_itself_wrong_refuses_its_jobs_and_says_where(
    fields: dict[str, Any], why: str
) -> None:
    found = job_types.of_map("count", config_map(**fields))
    assert isinstance(found, UserError)
    error = refusal(job(given={"n": 3}), found)
    assert error.code == job_types.WRONG
    assert why in error.message
    assert "mend ConfigMap coxswain-type-count" in error.message
    assert error.field == "spec.type"


def test_a_key_that_is_no_json_is_named() -> None:
    raw = config_map()
    raw["data"]["inputSchema"] = "{"
    error = job_types.of_map("count", raw)
    assert isinstance(error, UserError)
    assert "data.inputSchema: this is not JSON" in error.message


def test_unknown_and_disabled_types_are_refused_with_what_to_do() -> None:
    unknown = refusal(job("count"), job_types.of_map("count", None))
    assert unknown.code == job_types.UNKNOWN
    assert "make ConfigMap coxswain-type-count" in unknown.message
    assert "noop" in unknown.message
    disabled = refusal(job("ai.chat.generate"), job_types.of_map("ai.chat.generate", None))
    assert disabled.code == job_types.DISABLED
    assert 'enabled: "true" in ConfigMap coxswain-type-ai.chat.generate' in disabled.message


def test_a_config_map_without_the_label_is_no_type() -> None:
    raw = {"metadata": {"labels": {}}, "data": data()}
    assert job_types.of_map("count", raw) is None
    assert isinstance(job_types.of_map("noop", raw), JobTypeSpec)


def test_a_config_map_changes_only_what_it_names_of_a_built_in_type() -> None:
    raw = {"metadata": {"labels": {"coxswain.dev/job-type": ""}}, "data": {"enabled": "true"}}
    found = job_types.of_map("ai.chat.generate", raw)
    assert isinstance(found, JobTypeSpec)
    assert (found.enabled, found.prompt) == (True, "{{prompt}}")
    raw["data"] = {"command": '["cat"]'}
    other = job_types.of_map("ai.chat.generate", raw)
    assert isinstance(other, JobTypeSpec)
    assert (other.command, other.prompt) == (["cat"], None)


def test_an_image_is_a_handler_with_a_command_and_without_one() -> None:
    both = job_types.read("count", data(image="ghcr.io/team/count:1"))
    assert (both.image, both.command) == ("ghcr.io/team/count:1", ["seq", "{{n}}"])
    alone = job_types.read("count", data(image="ghcr.io/team/count:1", command=None))
    made = job_types.resolve("team", job(given={"n": 3}), alone)
    assert (made.type.image, made.spec.command, made.spec.prompt) == (both.image, None, None)


def test_what_is_built_into_our_image_runs_there_whatever_the_agents() -> None:
    images = {name: job_types.read(name, found).image for name, found in BUILT_IN.items()}
    assert images == {
        "ai.chat.generate": None,
        "command": None,
        "docs.format": "Platform",
        "noop": "Platform",
        "report.generate": "Platform",
    }


@pytest.mark.parametrize(
    ("named", "handler"),
    [
        ({"command": '["cat"]'}, (None, ["cat"], None)),
        ({"image": "x:1"}, ("x:1", None, None)),
        ({"prompt": "p"}, (None, None, "p")),
    ],
)
def test_another_handler_of_a_built_in_type_takes_nothing_over_from_its_own(
    named: dict[str, str], handler: tuple[Any, ...]
) -> None:
    raw = {"metadata": {"labels": {"coxswain.dev/job-type": ""}}, "data": named}
    found = job_types.of_map("noop", raw)
    assert isinstance(found, JobTypeSpec)
    assert (found.image, found.command, found.prompt) == handler


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, 'spec.input: "n" is a required property'),
        ({"n": "x"}, 'spec.input/n: "x" is not of type "integer"'),
    ],
)
def test_an_input_that_does_not_fit_is_refused_by_json_pointers(given: object, why: str) -> None:
    error = refusal(job(given=given), job_types.read("count", data()))
    assert (error.code, error.field) == (job_types.INPUT_INVALID, "spec.input")
    assert error.message == why


def test_a_prompt_that_grows_too_long_is_refused() -> None:
    fields = {"inputSchema": {"properties": {"x": {}}}, "prompt": "{{x}}" * 3}
    found = job_types.read("ask", job_types.encoded(fields))
    error = refusal(job("ask", {"x": "y" * 40_000}), found)
    assert "the prompt comes to more than 65536 characters" in error.message


OUTPUTS = [
    (None, "output: there is none"),
    ("{", "output: this is not JSON"),
    ('{"n": "x"}', 'output/n: "x" is not of type "integer"'),
    ("[" * 50 + "]" * 50, "output: nested deeper"),
]


@pytest.mark.parametrize(("output", "why"), OUTPUTS)
def test_a_success_whose_output_breaks_the_contract_is_a_failure(
    output: str | None, why: str
) -> None:
    said = RunResult(status=ResultStatus.SUCCEEDED, answer="done", output=output, transient=True)
    found = job_types.check_output(said, COUNT)
    assert (found.status, found.reason) == (ResultStatus.FAILED, "OutputInvalid")
    assert found.message is not None
    assert found.message.startswith(why)
    assert (found.output, found.answer, found.transient) == (None, "done", False)
    assert job_types.check_output(found, COUNT) == found


def test_a_result_within_its_contract_stays_as_it_is() -> None:
    fits = RunResult(status=ResultStatus.SUCCEEDED, output='{"n": 3}')
    failed = RunResult(status=ResultStatus.FAILED, reason="ExitCode")
    assert job_types.check_output(fits, COUNT) is fits
    assert job_types.check_output(failed, COUNT) is failed
    assert job_types.check_output(fits, None) is fits
