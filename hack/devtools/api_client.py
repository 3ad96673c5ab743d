"""The platform's API as a person outside the cluster calls it: through kubectl port-forward.

Bare requests are for what no client does: strangers' tokens, and answers as they are on the wire.
"""

import base64
import json
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
    """One way in, with one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def client(self, policy: RetryPolicy | None = None) -> Client:
        """The same door through the client of the API; close it."""
        return Client(self.url, self._token, policy=policy)

    def as_(self, token: str) -> "Api":
        """The same door for somebody else."""
        return Api(self.url, token)

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
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode())


def local_token(kubectl: Kubectl) -> str:
    """The token of the person who installed the platform."""
    secret = kubectl.json("--namespace", release.NAMESPACE, "get", "secret", TOKEN_SECRET)
    return base64.b64decode(secret["data"]["token"]).decode()


@contextmanager
def forwarded(kubectl: Kubectl, target: str = "service/coxswain-api") -> Iterator[Api]:
    """Open a way to the API, or to one pod that serves it."""
    port = children.free_port()
    words = [
        str(programs.tool("kubectl")),
        *("--kubeconfig", str(kubectl.kubeconfig), "--namespace", release.NAMESPACE),
        *("port-forward", target, f"{port}:8080"),
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    api = Api(f"http://127.0.0.1:{port}", local_token(kubectl))
    try:
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
