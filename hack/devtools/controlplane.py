"""A real etcd and kube-apiserver for tests, alone: no kubelet, and controllers only on request.

    with ControlPlane(tmp_path) as plane:          # about 3 s; several can run side by side
        kubectl = ["kubectl", "--kubeconfig", plane.kubeconfig]
        other = plane.kubeconfig_for("eve", groups=["readers"])   # no rights until RBAC gives some

    ControlPlane(folder, controllers=["serviceaccount", "namespace", "garbagecollector", "job"])

Admin rights: `.kubeconfig` (group system:masters), `.url`, `.ca_file`, `.admin` (the client pair).
RBAC is on; TokenRequest, issuer discovery (`/.well-known/openid-configuration`, `/openid/v1/jwks`)
and Pod Security admission work. Without the `serviceaccount` controller, namespaces get no
`default` account, so make it, or pass `disable_admission=["ServiceAccount"]`.
Only 127.0.0.1 is bound. The processes are killed when the starting thread ends, so start from a
thread that lives long enough (pytest's own does). State stays in `folder` for its owner to remove.
"""

import http.client
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from devtools import children, kubeconfig, pki, probes, programs
from devtools.errors import ToolError

ISSUER = "https://kubernetes.default.svc"
READY_SECONDS = 60.0
ATTEMPTS = 3


class ControlPlane:
    """One etcd and one kube-apiserver, with their own certificates and free ports."""

    def __init__(
        self,
        folder: Path,
        *,
        enable_admission: Sequence[str] = (),
        disable_admission: Sequence[str] = (),
        controllers: Sequence[str] = (),
        no_compaction: bool = True,
        apiserver_args: Sequence[str] = (),
    ) -> None:
        """Prepare; nothing runs yet.

        `no_compaction` keeps every old revision, so that a test can read the whole history.
        """
        self.folder = folder.absolute()
        self._enable, self._disable = list(enable_admission), list(disable_admission)
        self._controllers = list(controllers)
        self._args = [*apiserver_args]
        if no_compaction:
            self._args.append("--etcd-compaction-interval=0")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str | Path]] = {}
        self._etcd_port = self._port = 0

    # -- what a test uses --------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def etcd_url(self) -> str:
        """Where etcd itself answers."""
        return f"http://127.0.0.1:{self._etcd_port}"

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self.authority.certificate

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"

    def kubeconfig_for(self, user: str, groups: Iterable[str] = ()) -> Path:
        """A kubeconfig by client certificate for any user; RBAC decides what it may do."""
        name = user.replace(":", "-").replace("/", "-")
        pair = self.authority.issue(f"user-{name}", user, groups)
        return kubeconfig.write(self.folder / f"{name}.kubeconfig", self.url, self.ca_file, pair)

    def pid(self, name: str) -> int:
        """The process of etcd, kube-apiserver or kube-controller-manager."""
        return self._children[name].pid

    def start(self) -> Self:
        """Start everything and wait until it is ready."""
        bins = {name: programs.ensure(name) for name in ("etcd", "kubernetes")}
        self._prepare()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start_etcd(bins["etcd"])
                self.start_apiserver(bins["kubernetes"])
                break
            except ToolError as error:
                self.stop()
                # Between choosing a free port and binding it another process may take it.
                if "address already in use" not in str(error) or attempt == ATTEMPTS:
                    raise
        kubeconfig.write(self.kubeconfig, self.url, self.ca_file, self.admin)
        if self._controllers:
            self.start_controllers(self._controllers)
        return self

    def stop(self) -> None:
        """Kill what runs; stopping twice is harmless."""
        for name in reversed(list(self._children)):
            children.stop(self._children.pop(name))

    def start_apiserver(self, bins: Path | None = None) -> None:
        """Start the API, on the port it had if it ran before, and wait until it is ready."""
        bins = bins or programs.ensure("kubernetes")
        self._port = self._port or children.free_port()
        self._spawn("kube-apiserver", [bins / "kube-apiserver", *self._apiserver_flags()])
        self._await_ready("kube-apiserver", self._apiserver_ready)

    def kill(self, name: str) -> None:
        """End etcd or kube-apiserver as a machine would that loses power; its data stay."""
        children.stop(self._children[name])

    def start_again(self, name: str) -> None:
        """Start what was killed on the port and the data that it had; ``await_ready`` waits for it."""
        self._spawn(name, self._commands[name])

    def await_ready(self, name: str) -> None:
        """Wait until etcd or kube-apiserver answers. Raises ToolError if it has ended."""
        ready = self._etcd_ready if name == "etcd" else self._apiserver_ready
        self._await_ready(name, ready)

    def start_controllers(self, names: Sequence[str], args: Sequence[str] = ()) -> None:
        """Start kube-controller-manager with these controllers and no others; nothing is awaited."""
        bins = programs.ensure("kubernetes")
        words: list[str | Path] = [bins / "kube-controller-manager"]
        words += [*children.flags(self._controller_flags(names)), *args]
        self._spawn("kube-controller-manager", words)

    def stop_controllers(self) -> None:
        """Kill them; others may be started after that."""
        children.stop(self._children.pop("kube-controller-manager"))

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    # -- how it is made ----------------------------------------------------------------------

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = pki.Authority(self.folder / "pki")
        hosts = ["localhost", "kubernetes", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1"]
        self._serving = self.authority.issue("apiserver", "kube-apiserver", (), hosts)
        self.admin = self.authority.issue("admin", "admin", ["system:masters"])
        self._signing = self.authority.signing_keys("service-accounts")

    def _start_etcd(self, bins: Path) -> None:
        self._etcd_port, self._port = children.free_port(), 0
        client = self.etcd_url
        flags = {
            "data-dir": self.folder / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": "http://127.0.0.1:0",
            "unsafe-no-fsync": "true",
            "log-level": "warn",
        }
        self._spawn("etcd", [bins / "etcd", *children.flags(flags)])
        self._await_ready("etcd", self._etcd_ready)

    def _controller_flags(self, names: Sequence[str]) -> dict[str, object]:
        return {
            "kubeconfig": self.kubeconfig_for("system:kube-controller-manager"),
            "controllers": ",".join(names),
            "leader-elect": "false",
            "secure-port": "0",
            "root-ca-file": self.ca_file,
            "service-account-private-key-file": self._signing[0],
            # Each controller acts as its own account, as in a real cluster, so RBAC is real too.
            "use-service-account-credentials": "true",
        }

    def _apiserver_flags(self) -> list[str]:
        flags = {
            "etcd-servers": self.etcd_url,
            "secure-port": str(self._port),
            "bind-address": "127.0.0.1",
            # A loopback address is refused as an endpoint, and no pod will ever use it.
            "advertise-address": "127.0.0.1",
            "endpoint-reconciler-type": "none",
            "tls-cert-file": self._serving.certificate,
            "tls-private-key-file": self._serving.key,
            "client-ca-file": self.ca_file,
            "authorization-mode": "RBAC",
            "service-account-issuer": ISSUER,
            "service-account-signing-key-file": self._signing[0],
            "service-account-key-file": self._signing[1],
            "service-cluster-ip-range": "10.96.0.0/16",
            "allow-privileged": "true",
            "shutdown-delay-duration": "0s",
        }
        if self._enable:
            flags["enable-admission-plugins"] = ",".join(self._enable)
        if self._disable:
            flags["disable-admission-plugins"] = ",".join(self._disable)
        return [*children.flags(flags), *self._args]

    def _spawn(self, name: str, command: Sequence[str | Path]) -> None:
        self._commands[name] = command
        self._children[name] = children.start(command, self._log(name))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _await_ready(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            children.require_alive(self._children[name], name, self._log(name))
            if time.monotonic() > deadline:
                raise ToolError(f"{name} is not ready after {READY_SECONDS:.0f} s")
            time.sleep(0.05)

    def _etcd_ready(self) -> bool:
        return probes.answers(http.client.HTTPConnection("127.0.0.1", self._etcd_port), "/health")

    def _apiserver_ready(self) -> bool:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        trust.load_cert_chain(self.admin.certificate, self.admin.key)
        link = http.client.HTTPSConnection("127.0.0.1", self._port, context=trust, timeout=5)
        return probes.answers(link, "/readyz")
