"""Sends requests made at random from an OpenAPI document, and prints each answer that the document does not name.

A process of its own: schemathesis changes hypothesis for all that runs beside it. It reads what it is asked as
JSON from its standard input (``Asked``), and writes one line of JSON.
"""

import json
import sys
import time
from collections import Counter
from typing import Any, TypeAlias, TypedDict

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ANSWER_SECONDS = 10.0
WAIT = "waitSeconds"


Operation: TypeAlias = APIOperation[Any, Any, Any, Any]


class Asked(TypedDict):
    """What to send, and to whom."""

    url: str
    document: dict[str, Any]
    headers: dict[str, dict[str, str]]
    """By security scheme; none for nobody, who must always be answered 401."""
    known: dict[str, str]
    """Parts of paths that lead to something."""
    examples: int
    """Requests of each kind for each operation."""


class Probe:
    """Counts what was sent, and keeps what was wrong."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._session = requests.Session()
        self.statuses: Counter[int] = Counter()
        self.wrong: dict[str, str] = {}

    def operation(self, operation: Operation) -> None:
        """Send what fits the document and what does not, to what is there and to what is not."""
        path = {
            name: text
            for name, text in self._asked["known"].items()
            if f"{{{name}}}" in operation.path
        }
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            self._send(operation, mode, path or None)
        if path:
            self._send(operation, GenerationMode.NEGATIVE, None)

    def _send(
        self, operation: Operation, mode: GenerationMode, path: dict[str, str] | None
    ) -> None:
        security = operation.definition.raw["security"]
        schemes = [name for each in security for name in each]
        headers = next(
            (self._asked["headers"][name] for name in schemes if name in self._asked["headers"]), {}
        )

        @settings(
            max_examples=self._asked["examples"],
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=path))
        def each(case: Case[Any]) -> None:
            self._one(operation, case, headers)

        try:
            each()
        except Unsatisfiable:
            # Nothing of it can be wrong.
            return

    def _one(self, operation: Operation, case: Case[Any], headers: dict[str, str]) -> None:
        if isinstance(case.body, dict) and isinstance(case.body.get(WAIT), int | float):
            # Whoever asks to wait may be made to.
            case.body[WAIT] = 0
        try:
            answer = case.call(self._asked["url"], self._session, headers, timeout=ANSWER_SECONDS)
        except requests.Timeout:
            self.wrong[f"{operation.label}: no answer"] = case.as_curl_command(headers=headers)
            return
        self.statuses[answer.status_code] += 1
        if not self._asked["headers"] and answer.status_code != 401:
            self.wrong[f"{operation.label}: {answer.status_code} for nobody"] = (
                case.as_curl_command()
            )
        try:
            case.validate_response(answer, CHECKS)
        except FailureGroup as found:
            for each in found.exceptions:
                self.wrong.setdefault(
                    f"{operation.label}: {each.title}: {each.message}",
                    f"{case.as_curl_command(headers=headers)}\n{answer.text[:500]}",
                )


def main() -> None:
    """Probe every operation."""
    asked: Asked = json.load(sys.stdin)
    schema = schemathesis.openapi.from_dict(asked["document"], config=schemathesis.Config())
    probe = Probe(asked)
    for each in schema.get_all_operations():
        if isinstance(each, Err):
            raise each.err()
        probe.operation(each.ok())
    found = {
        "wrong": probe.wrong,
        "statuses": dict(sorted(probe.statuses.items())),
        "seconds": round(time.process_time(), 1),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
