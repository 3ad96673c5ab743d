"""A TLS server at an address that counts as public, and yet is this machine's own: no packet leaves it.

The address is of a block that the internet keeps as a sink (AS112), so nobody is missed meanwhile.
"""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from devtools import shell
from devtools.pki import Authority

ADDRESS = "192.31.196.77"
PORT = 443
INTERFACE = "cxplace0"


@dataclass
class Place:
    """Who asked, and the certificate that its clients trust."""

    trusted: str
    hosts: list[str] = field(default_factory=list)


@contextmanager
def serving(folder: Path, *names: str) -> Iterator[Place]:
    """Be there under these names for the length of a block; every page says "reached"."""
    authority = Authority(folder)
    pair = authority.issue("place", "place", hosts=[*names, ADDRESS])
    place = Place(authority.certificate.read_text())
    shell.run(["ip", "link", "add", INTERFACE, "type", "bridge"])
    with ExitStack() as stack:
        stack.callback(shell.run, ["ip", "link", "delete", INTERFACE])
        shell.run(["ip", "address", "add", f"{ADDRESS}/32", "dev", INTERFACE])
        shell.run(["ip", "link", "set", INTERFACE, "up"])
        server = http.server.ThreadingHTTPServer((ADDRESS, PORT), _handler(place))
        stack.callback(server.server_close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stack.callback(server.shutdown)
        yield place


def _handler(place: Place) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.hosts.append(self.headers.get("Host", ""))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"reached")

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
