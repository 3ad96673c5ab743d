"""The platform's API as a person outside the cluster calls it: through kubectl port-forward.

Bare requests are for what no client does: strangers' tokens, and answers as they are on the wire.
"""

import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from coxswain.client import Client, RetryPolicy
from coxswain.client.models import EventView
from devtools import children, patience, programs, release
from devtools.kubectl import Kubectl

TOKEN_SECRET = "coxswain-local-token"  # noqa: S105 - the name of a Secret
READY_SECONDS = 30.0
CALL_SECONDS = 20.0
Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came back, an error or not."""

    status: int
    body: str

    @property
    def json(self) -> Body:
        """The body of an answer in JSON."""
        found: Body = json.loads(self.body)
        return found


class Api:
    """One way in, with one token; ``trusted`` is who signed its certificate, where it speaks TLS."""

    def __init__(self, url: str, token: str, trusted: ssl.SSLContext | None = None) -> None:
        self.url = url
        self._token = token
        self._trusted = trusted

    def client(self, policy: RetryPolicy | None = None) -> Client:
        """The same door through the client of the API; close it."""
        return Client(self.url, self._token, policy=policy, verify=self._trusted or True)

    def as_(self, token: str) -> "Api":
        """The same door for somebody else."""
        return Api(self.url, token, self._trusted)

    def get(self, path: str) -> Answer:
        """Read."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Body, **headers: str) -> Answer:
        """Write; an underscore in a header's name stands for a dash."""
        return self._call("POST", path, body, headers)

    def events(self, *, job: str, type: str | None = None) -> list[Body]:  # noqa: A002 - the API's word
        """All events of a Job, by its id, as they are on the wire."""
        with self.client() as client:
            found = client.events.list(job=job, type=type)
            return [each.to_wire() for each in found if isinstance(each, EventView)]

    def _call(
        self, method: str, path: str, body: Body | None, headers: Mapping[str, str] = {}
    ) -> Answer:
        request = urllib.request.Request(  # noqa: S310 - the url is our own port-forward
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=CALL_SECONDS, context=self._trusted
            ) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())


def local_token(kubectl: Kubectl) -> str:
    """The token of the person who installed the platform."""
    return _secret(kubectl, TOKEN_SECRET, "token")


def authority(kubectl: Kubectl) -> str:
    """Who signed the certificates that are shown inside the cluster, as PEM."""
    return _secret(kubectl, release.AUTHORITY_SECRET, "ca.crt")


def behind(kubectl: Kubectl, port: int) -> Api:
    """The API for the person who installed the platform, as it speaks behind a forwarded port of this machine."""
    token = local_token(kubectl)
    if not release.speaks_tls(kubectl):
        return Api(f"http://127.0.0.1:{port}", token)
    # The name that its certificate has for a forwarded port.
    trusted = ssl.create_default_context(cadata=authority(kubectl))
    return Api(f"https://localhost:{port}", token, trusted)


def _secret(kubectl: Kubectl, name: str, key: str) -> str:
    secret = kubectl.json("--namespace", release.NAMESPACE, "get", "secret", name)
    return base64.b64decode(secret["data"][key]).decode()


@contextmanager
def forwarded(kubectl: Kubectl, target: str = f"service/{release.API}") -> Iterator[Api]:
    """Open a way to the API, or to one pod that serves it."""
    port = children.free_port()
    words = [
        str(programs.tool("kubectl")),
        *("--kubeconfig", str(kubectl.kubeconfig), "--namespace", release.NAMESPACE),
        *("port-forward", target, f"{port}:{release.API_PORT}"),
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        api = behind(kubectl, port)
        patience.until(lambda: _pending(api), READY_SECONDS)
        yield api
    finally:
        process.terminate()
        process.wait()


def _pending(api: Api) -> str:
    try:
        status = api.get("/v1/agents").status
    except OSError:
        return "the port-forward to the API"
    return "" if status == 200 else f"the API, which answers {status}"
