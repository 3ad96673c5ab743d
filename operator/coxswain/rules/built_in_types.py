"""The job types that are always there, as the data of the ConfigMaps that they stand for.

A ConfigMap of the same name in a workspace changes what it names. What reaches outside is disabled.
"""

import json
from collections.abc import Mapping
from typing import Any

from coxswain.api.image import PLATFORM


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


_TEXT = {"type": "string", "minLength": 1, "maxLength": 60_000}
_PATH = {"type": "string", "minLength": 1, "maxLength": 255}
_COUNT = {"type": "integer", "minimum": 0}
_COUNTS = {"type": "object", "additionalProperties": _COUNT}

_NOOP: dict[str, Any] = {
    "description": "Does nothing but hand its input back; shows the whole path without a provider.",
    "inputSchema": {"type": "object"},
    "outputSchema": {"type": "object"},
    "image": PLATFORM,
    "command": ["python", "-m", "coxswain_agent.handlers.noop"],
    "timeoutSeconds": 60,
}
_COMMAND: dict[str, Any] = {
    "description": "Runs a program with its arguments; standard output is the answer.",
    "inputSchema": _object(
        ["argv"],
        argv={
            "type": "array",
            "items": {"type": "string", "maxLength": 16_384},
            "minItems": 1,
            "maxItems": 128,
        },
    ),
    "command": ["{{argv}}"],
}
_FORMAT: dict[str, Any] = {
    "description": "Formats the Job's Markdown files and keeps each as an artifact.",
    "inputSchema": _object(
        [], paths={"type": "array", "items": _PATH, "minItems": 1, "maxItems": 60}
    ),
    "outputSchema": _object(
        ["files"],
        files={
            "type": "array",
            "items": _object(
                ["path", "changed", "artifact"],
                path=_PATH,
                changed={"type": "boolean"},
                artifact=_PATH,
            ),
        },
    ),
    "image": PLATFORM,
    "command": ["python", "-m", "coxswain_agent.handlers.docs_format"],
    "timeoutSeconds": 300,
    "retry": {"maxAttempts": 2},
}
_REPORT: dict[str, Any] = {
    "description": "Reports the workspace's Jobs, attempts and model calls of the last hours.",
    "inputSchema": _object([], hours={"type": "integer", "minimum": 1, "maximum": 744}),
    "outputSchema": _object(
        ["workspace", "since", "until", "jobs", "attempts", "agents", "models"],
        workspace={"type": "string"},
        since={"type": "string"},
        until={"type": "string"},
        jobs=_COUNTS,
        attempts=_COUNTS,
        agents=_COUNTS,
        models={
            "type": "array",
            "items": _object(
                ["model", "calls", "failed", "inputTokens", "outputTokens"],
                model={"type": "string"},
                calls=_COUNT,
                failed=_COUNT,
                inputTokens=_COUNT,
                outputTokens=_COUNT,
            ),
        },
    ),
    "image": PLATFORM,
    "command": ["python", "-m", "coxswain_agent.handlers.report"],
    "timeoutSeconds": 120,
    "retry": {"maxAttempts": 3},
    "grants": ["workspace.report"],
}
_CHAT: dict[str, Any] = {
    "description": "Asks the Agent's first model.",
    "enabled": False,
    "inputSchema": _object(["prompt"], prompt=_TEXT),
    "outputSchema": {"type": "string", "minLength": 1},
    "prompt": "{{prompt}}",
}
_TYPES: dict[str, dict[str, Any]] = {
    "ai.chat.generate": _CHAT,
    "command": _COMMAND,
    "docs.format": _FORMAT,
    "noop": _NOOP,
    "report.generate": _REPORT,
}


def _data(fields: Mapping[str, Any]) -> dict[str, str]:
    plain = ("description", "image", "prompt")
    return {key: each if key in plain else json.dumps(each) for key, each in fields.items()}


BUILT_IN: Mapping[str, Mapping[str, str]] = {name: _data(fields) for name, fields in _TYPES.items()}
