"""Specs that must be refused: one for each rule and for each sort of bound, with the words to expect.

The same table is put before the API server and before pydantic, which must agree.
"""

from typing import Any

from tests.support.refused import Body, Refused


def _agent(field: str, bad: Any, place: str = "", words: str = "") -> Refused:
    return Refused("Agent", field, bad, place or f"spec.{field}", words)


def _job(field: str, bad: Any, place: str = "", words: str = "") -> Refused:
    return Refused("Job", field, bad, place or f"spec.{field}", words)


def _lease(field: str, bad: Any, place: str = "") -> Refused:
    return Refused("Lease", field, bad, place or f"spec.{field}")


def _model(alias: str, provider: str = "openai", **more: Any) -> Body:
    return {"alias": alias, "provider": provider, "model": "m", **more}


def _step(name: str, *after: str, **more: Any) -> Body:
    edges = {"dependsOn": [{"name": each} for each in after]} if after else {}
    return {"name": name, "command": ["true"], **edges, **more}


_FILE = {"configMap": "c", "key": "k", "path": "a"}

BY_RULE = (
    _agent("instructions", {}, words="set exactly one of inline and configMap"),
    _agent(
        "instructions",
        {"inline": "x", "configMap": {"name": "c", "key": "k"}},
        words="set exactly one of inline and configMap",
    ),
    _agent(
        "models",
        [_model("x", "demo", credentials={"name": "s"})],
        "spec.models[0]",
        "the demo provider has neither credentials nor baseURL",
    ),
    _agent(
        "models",
        [_model("x", "demo"), _model("y")],
        "spec",
        "the demo provider does not stand beside a real one",
    ),
    _agent(
        "models",
        [_model("x"), _model("default")],
        "spec",
        "only the first model may have the alias default",
    ),
    _agent(
        "sandbox",
        {"seccomp": {"type": "Localhost"}},
        "spec.sandbox.seccomp",
        "localhostProfile goes with type Localhost, and only with it",
    ),
    _agent(
        "sandbox",
        {"seccomp": {"type": "Localhost", "localhostProfile": "a/../../b"}},
        "spec.sandbox.seccomp",
        "localhostProfile stays below the kubelet's folder: no ..",
    ),
    _agent(
        "sandbox",
        {"appArmor": {"localhostProfile": "p"}},
        "spec.sandbox.appArmor",
        "localhostProfile goes with type Localhost, and only with it",
    ),
    _agent(
        "sandbox",
        {"egress": {"bytesPerRun": "63Ki"}},
        "spec.sandbox.egress",
        "bytesPerRun is at least 64Ki; leave it out to bound nothing",
    ),
    *(
        _agent(
            "sandbox",
            {"egress": {"bytesPerRun": amount}},
            "spec.sandbox.egress",
            "bytesPerRun is at most 1Pi; leave it out to bound nothing",
        )
        for amount in ("1025Ti", "999999999999999Pi")
    ),
    *(
        _agent(
            "sandbox",
            {"egress": {"hosts": [{"host": host}]}},
            "spec.sandbox.egress.hosts[0]",
            "host is a name in lower case such as api.example.com, or *.example.com for all names"
            " below it, or an address in its usual form",
        )
        for host in (
            "Example.com",
            "https://example.com",
            "example.com:443",
            "example.com.",
            "*.com",
            "*",
            "a.*.com",
            "localhost",
            "127.1",
            "0x7f000001",
            "2130706433",
            "010.0.0.1",
            "fe80::1%eth0",
            "[::1]",
            "::FFFF",
            "::ffff:10.0.0.1",
            "10.0.0.0/8",
        )
    ),
    _agent(
        "resources",
        {"requests": {"nvidia.com/gpu": 1}},
        words="requests may name cpu, memory and ephemeral-storage",
    ),
    _agent(
        "resources",
        {"limits": {"pods": 1}},
        words="limits may name cpu, memory, ephemeral-storage and extended resources such as"
        " nvidia.com/gpu",
    ),
    _agent(
        "resources",
        {"limits": {"example.kubernetes.io/x": 1}},
        words="limits may name cpu, memory, ephemeral-storage and extended resources such as"
        " nvidia.com/gpu",
    ),
    _agent(
        "resources",
        {"limits": {"memory": "0Mi"}},
        words="a limit is more than 0, which Kubernetes takes for no limit at all",
    ),
    _agent(
        "resources",
        {"requests": {"memory": "1025Mi"}, "limits": {"memory": "1Gi"}},
        words="a request is at most its limit",
    ),
    _agent(
        "resources",
        {"limits": {"nvidia.com/gpu": "500m"}},
        words="extended resources come in whole numbers",
    ),
    _agent(
        "scheduling",
        {"nodeSelector": {"not a label": "x"}},
        words="nodeSelector names labels of nodes",
    ),
    _agent(
        "scheduling",
        {"tolerations": [{"operator": "Equal"}]},
        "spec.scheduling.tolerations[0]",
        "a toleration without a key has the operator Exists",
    ),
    _agent(
        "scheduling",
        {"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]},
        "spec.scheduling.tolerations[0]",
        "value goes with the operator Equal",
    ),
    _agent(
        "scheduling",
        {"tolerations": [{"key": "k", "effect": "NoSchedule", "tolerationSeconds": 1}]},
        "spec.scheduling.tolerations[0]",
        "tolerationSeconds goes with the effect NoExecute",
    ),
    _agent("workspace", {"size": 0}, words="size is more than 0"),
    _agent(
        "tools",
        {"allow": ["read_file"], "ask": ["run_command"]},
        words="ask names tools that allow names too",
    ),
    _agent(
        "tools",
        {"ask": ["run_command"]},
        "spec",
        "tools.ask needs approvals, which says who may agree",
    ),
    _agent(
        "approvals",
        {"approvers": ["ada"], "required": 2},
        words="required is at most the number of approvers",
    ),
    _job("prompt", None, "spec", "set exactly one of prompt, command, steps and type"),
    *(
        _job("steps", [step], "spec.steps[0]", "a step has exactly one of prompt and command")
        for step in ({"name": "a"}, _step("a", prompt="p"))
    ),
    *(
        _job(
            "steps", steps, "spec", "a step's dependsOn names steps that stand above it in the list"
        )
        for steps in (
            [_step("a", "nobody")],
            [_step("a", "a")],
            [_step("a", "b"), _step("b")],
            [_step("a", "c"), _step("b", "a"), _step("c", "b")],
        )
    ),
    _job("input", "{}", "spec", "input is for a Job with a type"),
    _job(
        "files",
        [{**_FILE, "path": "a/./b"}],
        "spec.files[0]",
        "path stays inside the workspace: no . and no ..",
    ),
    _job(
        "files",
        [{**_FILE, "path": "../b"}],
        "spec.files[0]",
        "path stays inside the workspace: no . and no ..",
    ),
    _job(
        "files",
        [_FILE, {**_FILE, "path": "a/b"}],
        "spec",
        "one file's path is another one's folder",
    ),
    _job(
        "approval",
        {"approvers": ["ada"], "required": 2},
        words="required is at most the number of approvers",
    ),
    _job("approval", {"approvers": ["ada", "ada"]}, words="an approver stands twice"),
    *(
        _job("callback", {"url": url}, "spec.callback", "url names a host, not an address")
        for url in (
            "https://10.0.0.1/x",
            "https://127.1",
            "http://0x7f000001:8080/",
            "https://2130706433?x",
            "https://a.0",
        )
    ),
)

BY_BOUND = (
    *(_lease("resource", bad) for bad in (None, "x" * 300, "two words", "")),
    *(_lease("ttlSeconds", bad) for bad in (0, 86401, "5")),
    _lease("holder", "x" * 129),
    *(_lease(field, 0) for field in ("stealAfterSeconds", "quarantineSeconds")),
    _job("leases", ["a", "a"], "spec.leases"),
    _job("leases", ["No_Name"], "spec.leases[0]"),
    _job("leases", ["x" * 64], "spec.leases[0]"),
    _job("leases", [f"a-{number}" for number in range(17)]),
    _agent("colour", "red", "colour"),
    _agent("limits", {"maxStep": 3}, "maxStep"),
    _agent("description", "x" * 1025),
    _agent("models", [_model("x", "nobody")], "spec.models[0].provider"),
    _agent("models", [_model("x", baseURL="ftp://x")], "spec.models[0].baseURL"),
    _agent("models", [_model("x", baseURL="http://u:p@x")], "spec.models[0].baseURL"),
    _agent("sandbox", {"egress": {"bytesPerRun": "much"}}, "spec.sandbox.egress.bytesPerRun"),
    _agent(
        "sandbox",
        {"egress": {"hosts": [{"host": "a.b", "port": 0}]}},
        "spec.sandbox.egress.hosts[0].port",
    ),
    _agent(
        "sandbox",
        {"egress": {"hosts": [{"host": f"h{n}.example.com"} for n in range(65)]}},
        "spec.sandbox.egress.hosts",
    ),
    _agent("models", [_model("x"), _model("x")], "spec.models"),
    _agent("models", [_model(f"m{n}") for n in range(9)], "spec.models"),
    _agent("models", [{"alias": "x", "model": "m"}], "spec.models[0].provider"),
    _agent("tools", {"allow": ["rm"]}, "spec.tools.allow[0]"),
    _agent("limits", {"commandTimeoutSeconds": 301}, "spec.limits.commandTimeoutSeconds"),
    _agent("limits", {"maxSteps": 0}, "spec.limits.maxSteps"),
    _agent("runtime", {}, "spec.runtime.image"),
    *(
        _agent("runtime", {"image": image}, "spec.runtime.image")
        for image in ("python", "ghcr.io/Team/x:1", "x:1 y", "x:", "x@sha256:0a", "http://x/y:1")
    ),
    _agent("runtime", {"image": "x/" * 256 + "y:1"}, "spec.runtime.image"),
    _agent("runtime", {"image": "x:1", "command": []}, "spec.runtime.command"),
    _agent("limits", {"maxSteps": "ten"}, "spec.limits.maxSteps"),
    _agent("sandbox", {"seccomp": {"type": "Unconfined"}}, "spec.sandbox.seccomp.type"),
    _agent("sandbox", {"seLinux": {"type": "spc_t"}}, "spec.sandbox.seLinux.type"),
    _agent("sandbox", {"seLinux": {"user": "root"}}, "user"),
    _agent("sandbox", {"runtimeClassName": "No Class"}, "spec.sandbox.runtimeClassName"),
    _agent("resources", {"limits": {"cpu": "-1"}}, "spec.resources.limits.cpu"),
    _agent("resources", {"limits": {"cpu": -1}}, "spec.resources.limits.cpu"),
    _agent("resources", {"limits": {"cpu": "1e3"}}, "spec.resources.limits.cpu"),
    _agent("resources", {"limits": {"cpu": 1.5}}, "spec.resources.limits.cpu"),
    _agent("workspace", {"size": "big"}, "spec.workspace.size"),
    _agent("workspace", {"type": "HostPath"}, "spec.workspace.type"),
    _agent("quota", {"concurrentJobs": 1001}, "spec.quota.concurrentJobs"),
    _agent("suspend", "yes"),
    _agent("description", "a\0b"),
    _agent("instructions", {"inline": "\0"}, "spec.instructions.inline"),
    _job("title", ""),
    _job("title", "\0"),
    _job("prompt", "line\n\0"),
    _job("command", ["ls", "\0"], "spec.command[1]"),
    _job("title", None),
    _job("agentRef", {"name": "Not-A-Name"}, "spec.agentRef.name"),
    _job("command", []),
    _job("command", [1], "spec.command[0]"),
    _job("files", [{**_FILE, "path": "/etc/passwd"}], "spec.files[0].path"),
    _job("files", [{**_FILE, "path": "a//b"}], "spec.files[0].path"),
    _job("files", [_FILE, _FILE]),
    _job("input", "x" * 1_000_000),
    _job("type", "Not_Good"),
    _job("idempotencyKey", "a b"),
    _job("timeoutSeconds", 0),
    _job("timeoutSeconds", 604801),
    _job("retry", {"maxAttempts": 21}, "spec.retry.maxAttempts"),
    _job("ttlSecondsAfterFinished", -1),
    _job("review", {"onUnknown": "Guess"}, "spec.review.onUnknown"),
    _job("review", {"by": "ada"}, "by"),
    _job("retain", {"failedPodSeconds": -1}, "spec.retain.failedPodSeconds"),
    _job("suspend", "later"),
    _job("approval", {"approvers": []}, "spec.approval.approvers"),
    _job("approval", {"required": 1}, "spec.approval.approvers"),
    _job("approval", {"approvers": ["ada"], "required": 0}, "spec.approval.required"),
    _job("approval", {"approvers": ["a da"]}, "spec.approval.approvers[0]"),
    _job("dependsOn", [{"name": "No Name"}], "spec.dependsOn[0].name"),
    _job("dependsOn", [{"name": "b"}, {"name": "b"}], "spec.dependsOn"),
    _job("dependsOn", [{"name": "b", "onFailure": "Retry"}], "spec.dependsOn[0].onFailure"),
    _job("dependsOn", [{"name": f"n{n}"} for n in range(10_000)], "spec.dependsOn"),
    _job("steps", []),
    _job("steps", [_step("a"), _step("a")]),
    _job("steps", [_step(f"s{n}") for n in range(17)]),
    _job("steps", [_step("A b")], "spec.steps[0].name"),
    _job("steps", [_step("a", command=[])], "spec.steps[0].command"),
    _job("steps", [_step("a", command=["\0"])], "spec.steps[0].command[0]"),
    _job("steps", [_step("a", retry=1)], "retry"),
    _job("steps", [_step("a"), _step("b", "a", "a")], "dependsOn"),
    _job(
        "steps",
        [_step("a"), _step("b", dependsOn=[{"name": "a", "onFailure": "Fail"}])],
        "spec.steps[1].dependsOn[0].onFailure",
    ),
    _agent("tools", {"ask": ["rm"]}, "spec.tools.ask[0]"),
    _agent("approvals", {"approvers": []}, "spec.approvals.approvers"),
    _agent(
        "approvals",
        {"approvers": ["ada"], "timeoutSeconds": 0},
        "spec.approvals.timeoutSeconds",
    ),
    _job("nice", 1, "nice"),
    _job("queue", "Night", "spec.queue"),
    _job("queue", "", "spec.queue"),
    _job("queue", "q" * 64, "spec.queue"),
    _job("priority", 1001, "spec.priority"),
    _job("priority", -1001, "spec.priority"),
    _job("priority", "high", "spec.priority"),
    _agent("queues", ["a", "b c"], "spec.queues[1]"),
    *(
        _job("callback", {"url": url}, "spec.callback.url")
        for url in (
            "ftp://receiver.example/x",
            "receiver.example",
            "https://user:word@receiver.example",
            "https://[::1]/x",
            "https://receiver.example/#part",
            "https://receiver.example/a b",
            "https://receiver.example/" + "x" * 2048,
        )
    ),
    _job("callback", {}, "spec.callback.url"),
    _job("callback", {"url": "https://a.b", "signing": {"name": "No Name"}}, "spec.callback"),
)
