"""nchan: Debian's nginx with its module, unpacked into the cache, as a server of live streams."""

import gzip
import http.client
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools import children, debian, patience, probes, shell

PACKAGES = ("nginx", "libnginx-mod-nchan")
READY_SECONDS = 20.0
SUBSCRIBE, PUBLISH, HEALTHY = "/stream", "/publish", "/healthy"
# The module keeps a place of Debian's for large messages, whatever is configured; they do not come here.
STATE = Path("/var/lib/nginx")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
# One worker, as we have one process. A reader begins at what comes next.
TEXT = """
daemon off;
user {user};
worker_processes 1;
worker_rlimit_nofile 20000;
load_module {module};
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 15000; }}
http {{
  access_log off;
  nchan_shared_memory_size 128M;
{temporary}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    keepalive_requests 100000000;
    location = {healthy} {{
      return 200;
    }}
    location = {publish} {{
      nchan_publisher;
      nchan_channel_id bench;
      nchan_message_buffer_length 1000;
      nchan_message_timeout 5m;
    }}
    location = {subscribe} {{
      nchan_subscriber eventsource;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """At work for the length of a block: its pid, whose child does the work, and its port."""
    home, port = _home(), children.free_port()
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(_text(home, folder, port))
    log = folder / "nginx.log"
    # A master that is killed leaves its worker behind; told to end, it takes it along.
    words: list[str | Path] = ["setpriv", "--pdeathsig", "TERM", "--", home / "usr/sbin/nginx"]
    with _state():
        process = children.start([*words, "-p", folder, "-e", log, "-c", config], log)
        try:
            patience.until(lambda: _pending(process, port, log), READY_SECONDS)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(READY_SECONDS)


def version() -> str:
    """Of the package of the module, as its own list of changes says."""
    changes = _home() / "usr/share/doc/libnginx-mod-nchan/changelog.Debian.gz"
    return gzip.decompress(changes.read_bytes()).decode().split("(", 1)[1].split(")", 1)[0]


@contextmanager
def _state() -> Iterator[None]:
    """The place, where the machine has none, for the length of a block."""
    if STATE.exists():
        yield
        return
    STATE.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(STATE, ignore_errors=True)


def _home() -> Path:
    return debian.unpacked("nchan", PACKAGES)


def _text(home: Path, folder: Path, port: int) -> str:
    (module,) = home.rglob("ngx_nchan_module.so")
    temporary = "\n".join(f"  {each}_temp_path {folder}/{each};" for each in TEMPORARY)
    user = shell.run(["id", "-un"]).strip()
    return TEXT.format(
        user=user,
        module=module,
        folder=folder,
        temporary=temporary,
        port=port,
        publish=PUBLISH,
        subscribe=SUBSCRIBE,
        healthy=HEALTHY,
    )


def _pending(process: "subprocess.Popen[bytes]", port: int, log: Path) -> str:
    children.require_alive(process, "nginx", log)
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    return "" if probes.answers(link, HEALTHY) else "nginx"
