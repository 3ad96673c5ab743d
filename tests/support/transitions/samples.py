"""Good specs that together have every property of every kind, none with its default where it has one."""

from typing import Any

Body = dict[str, Any]
RUNTIME_CLASS = "transitions"
IMAGE = "registry.example/tool:1"

_DIGITS = "0a" * 32
_SANDBOX: Body = {
    "runtimeClassName": RUNTIME_CLASS,
    "seccomp": {"type": "Localhost", "localhostProfile": "profiles/agent.json"},
    "appArmor": {"type": "Localhost", "localhostProfile": "agent"},
    "seLinux": {"level": "s0:c1", "type": "container_t"},
    "egress": {"hosts": [{"host": "api.example.com", "port": 8443}], "bytesPerRun": "1Gi"},
}
_SCHEDULING: Body = {
    "nodeSelector": {"zone": "a"},
    "tolerations": [
        {
            "key": "spot",
            "operator": "Equal",
            "value": "yes",
            "effect": "NoExecute",
            "tolerationSeconds": 60,
        }
    ],
    "imagePullSecrets": [{"name": "pull"}],
}
_AGENT: Body = {
    "description": "It reads.",
    "runtime": {"image": IMAGE, "command": ["tool", "run"]},
    "models": [
        {
            "alias": "main",
            "provider": "openai",
            "model": "large",
            "baseURL": "https://models.example/v1",
            "credentials": {"name": "key"},
        }
    ],
    "tools": {"allow": ["list_files", "read_file"], "ask": ["read_file"]},
    "approvals": {
        "approvers": ["ada", "bob", "eve"],
        "required": 2,
        "excludeRequester": True,
        "timeoutSeconds": 600,
    },
    "limits": {
        "maxSteps": 20,
        "timeoutSeconds": 1800,
        "startTimeoutSeconds": 100,
        "commandTimeoutSeconds": 20,
    },
    "sandbox": _SANDBOX,
    "resources": {
        "requests": {"cpu": "200m", "memory": "200Mi"},
        "limits": {"cpu": "2", "memory": "2Gi"},
    },
    "scheduling": _SCHEDULING,
    "quota": {"concurrentJobs": 3, "cpu": "40", "memory": "40Gi"},
    "queues": ["default", "night"],
    "suspend": False,
}
_AGENTS = (
    {
        **_AGENT,
        "instructions": {"inline": "Be brief."},
        "workspace": {"type": "Ephemeral", "size": "2Gi", "retention": "Retain"},
    },
    {
        **_AGENT,
        "tools": {"allow": ["list_files", "read_file"]},
        "instructions": {"configMap": {"name": "told", "key": "text"}},
        "workspace": {
            "type": "Persistent",
            "size": "3Gi",
            "storageClassName": "fast",
            "retention": "Retain",
        },
    },
)

_WORK: Body = {
    "agentRef": {"name": "a"},
    "title": "Read",
    "description": "All of it.",
    "files": [{"configMap": "files", "key": "one", "path": "in/one"}],
    "queue": "night",
    "priority": 5,
    "dependsOn": [{"name": "before", "onFailure": "Ignore"}],
    "leases": ["deploy"],
    "approval": {
        "approvers": ["ada", "bob", "eve"],
        "required": 2,
        "excludeRequester": True,
        "timeoutSeconds": 600,
    },
    "timeoutSeconds": 900,
    "retry": {"maxAttempts": 3, "backoffSeconds": 20, "maxBackoffSeconds": 100},
    "review": {"required": True, "onUnknown": "Fail"},
    "retain": {"failedPodSeconds": 600, "succeededPodSeconds": 300},
    "suspend": True,
    "callback": {"url": "https://receiver.example/hook", "signing": {"name": "sign"}},
    "ttlSecondsAfterFinished": 3600,
}
_PROMPT: Body = {"prompt": "What does it say?"}
_COMMAND: Body = {"command": ["cat", "in/one"]}
_STEPS: Body = {
    "steps": [
        {"name": "one", "prompt": "What?"},
        {"name": "other", "command": ["true"]},
        {
            "name": "two",
            "command": ["ls", "-a"],
            "dependsOn": [{"name": "one", "onFailure": "Ignore"}],
        },
    ]
}
_TYPED: Body = {"type": "count", "input": '{"n": 1}'}
_OWN: Body = {"idempotencyKey": "k-1", "cancel": False}
_JOBS = tuple({**_WORK, **work, **_OWN} for work in (_PROMPT, _COMMAND, _STEPS, _TYPED))

_PLAN: Body = {
    "timeZone": "Europe/Berlin",
    "startAt": "2027-01-01T00:00:00Z",
    "endAt": "2090-01-01T00:00:00Z",
    "maxRuns": 7,
    "overlap": "BufferAll",
    "bufferLimit": 3,
    "catchUpWindowSeconds": 600,
    "startingDeadlineSeconds": 900,
    "jitterSeconds": 30,
    "pauseOnFailure": True,
    "suspend": False,
    "successfulJobsHistoryLimit": 2,
    "failedJobsHistoryLimit": 2,
}


def _schedule(trigger: Body, work: Body) -> Body:
    template = {"metadata": {"labels": {"team": "blue"}}, "spec": {**_WORK, **work}}
    return {**_PLAN, **trigger, "jobTemplate": template}


_SCHEDULES = (
    _schedule({"cron": ["0 9 1 1 *"]}, _PROMPT),
    _schedule({"interval": {"seconds": 20_000_000, "phaseSeconds": 60}}, _COMMAND),
    _schedule({"at": "2080-06-01T09:00:00Z"}, _STEPS),
    _schedule(
        {
            "onEvent": {
                "type": "user.note",
                "fields": [{"path": "details.colour", "equals": "blue"}],
                "cooldownSeconds": 60,
            }
        },
        _TYPED,
    ),
    _schedule(
        {
            "webhook": {
                "secretRef": {"name": "hook"},
                "scheme": "HMAC",
                "signatureHeader": "X-Sign",
                "bodySchema": '{"type": "object"}',
                "replayWindowSeconds": 600,
            }
        },
        _PROMPT,
    ),
    _schedule({"poll": {"url": "https://page.example/", "intervalSeconds": 600}}, _PROMPT),
    _schedule({"heartbeat": {"seconds": 20_000_000}}, _PROMPT),
)
_LEASES = (
    {
        "resource": "git:main",
        "ttlSeconds": 90,
        "holder": "freeze",
        "stealAfterSeconds": 600,
        "quarantineSeconds": 120,
    },
)
SPECS: dict[str, tuple[Body, ...]] = {
    "Agent": _AGENTS,
    "Job": _JOBS,
    "Schedule": _SCHEDULES,
    "Lease": _LEASES,
}

NEXT: dict[str, tuple[Any, ...]] = {
    "cron[]": ("30 9 1 1 *",),
    "timeZone": ("America/New_York",),
    "at": ("2081-06-01T09:00:00Z",),
    "startAt": ("2088-01-01T00:00:00Z",),
    "endAt": ("2030-01-01T00:00:00Z",),
    "type": ("user.other", "count2"),
    "steps[].dependsOn[].name": ("other",),
    "path": ("details.shape", "in/two"),
    "input": ('{"n": 2}',),
    "bodySchema": ('{"type": "array"}',),
    "host": ("www.example.com",),
    "seconds": (25_000_000,),
}
"""Other good values where the schema alone does not tell them, by the end of the path."""

_ONCE: Body = {"at": "2080-06-01T09:00:00Z"}
BESIDE: dict[str, Body] = {
    "instructions.inline": {"configMap": {"name": "told", "key": "text"}},
    "instructions.configMap": {"inline": "Be brief."},
    "seccomp.type": {"localhostProfile": None},
    "appArmor.type": {"localhostProfile": None},
    "tolerations[].operator": {"value": None},
    "tolerations[].effect": {"tolerationSeconds": None},
    "webhook.scheme": {"signatureHeader": None},
    **dict.fromkeys(("cron", "interval", "onEvent", "webhook", "poll", "heartbeat"), _ONCE),
}
"""What has to change with a property, beside it, by the end of its path; None goes."""

NEVER = ("jobTemplate.spec.idempotencyKey", "jobTemplate.spec.cancel")
"""Properties of a schema that only refuses them, by a rule: those of one Job alone."""
