"""A real Prometheus, Debian's package, that scrapes given addresses, judges rules and answers queries."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import children, debian, patience

Body = dict[str, Any]
READY_SECONDS = 30.0


class Prometheus:
    """One server; its clock is the machine's."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[Body]:
        """The instant vector that a dashboard's panel would draw now."""
        words = urllib.parse.urlencode({"query": expression})
        address = f"{self._url}/api/v1/query?{words}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            result: list[Body] = json.load(answer)["data"]["result"]
        return result

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            urllib.request.urlopen(f"{self._url}/-/ready", timeout=2).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Target:
    """Address and port of a process, and the labels that its series get."""

    address: str
    labels: dict[str, str]


@contextmanager
def scraping(
    targets: Sequence[Target], folder: Path, rules: Body | None = None
) -> Iterator[Prometheus]:
    """Run a server that scrapes these addresses every second, and judges by these groups of rules as often."""
    port = children.free_port()
    flags = {
        "config.file": _config(targets, folder, rules or {"groups": []}),
        "storage.tsdb.path": folder / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    log = folder / "prometheus.log"
    process = children.start([_program("prometheus"), *children.flags(flags)], log)
    try:
        server = Prometheus(port)
        patience.until(lambda: _pending(server, process, log), READY_SECONDS)
        yield server
    finally:
        children.stop(process)


def _config(targets: Sequence[Target], folder: Path, rules: Body) -> Path:
    (folder / "rules.json").write_text(json.dumps(rules))
    places = [{"targets": [each.address], "labels": each.labels} for each in targets]
    given = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.json"],
        "scrape_configs": [{"job_name": "coxswain", "static_configs": places}],
    }
    config = folder / "prometheus.json"
    config.write_text(json.dumps(given))
    return config


def _pending(server: Prometheus, process: "subprocess.Popen[bytes]", log: Path) -> str:
    children.require_alive(process, "prometheus", log)
    return "" if server.is_ready() else "Prometheus"


def promtool() -> Path:
    """Its tool for rules and metrics."""
    return _program("promtool")


def _program(name: str) -> Path:
    """The one on PATH, else Debian's, unpacked into the cache."""
    found = shutil.which(name)
    if found:
        return Path(found)
    return debian.unpacked("prometheus", ["prometheus"]) / "usr" / "bin" / name
