"""The table of the node's components: program, flags, configuration, sign of readiness."""

import http.client
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools import children, probes, programs, shell
from devtools.node import configs, settings
from devtools.node.credentials import Credentials
from devtools.node.processes import Component
from devtools.node.settings import Node

_GROUPS = ("etcd", "kubernetes", "containerd", "runc", "cni", "calico")


@dataclass(frozen=True)
class Makings:
    """What the components are made from."""

    node: Node
    credentials: Credentials
    bins: dict[str, Path]

    def kube(self, name: str) -> Path:
        """A Kubernetes program."""
        return self.bins["kubernetes"] / name

    def config(self, name: str, text: str) -> Path:
        """Write a configuration file if it differs: kube-proxy ends when its file is touched."""
        self.node.config.mkdir(parents=True, exist_ok=True)
        path = self.node.config / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        return path


def makings(node: Node, credentials: Credentials) -> Makings:
    """With every program built."""
    return Makings(node, credentials, {name: programs.ensure(name) for name in _GROUPS})


def etcd(made: Makings) -> Component:
    """The store; only the API server holds a certificate that it accepts."""
    client = f"https://127.0.0.1:{settings.ETCD_PORT}"
    peer = f"http://127.0.0.1:{settings.ETCD_PEER_PORT}"
    flags = {
        "data-dir": made.node.folder / "etcd",
        "unsafe-no-fsync": "true",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "cert-file": made.credentials.etcd.certificate,
        "key-file": made.credentials.etcd.key,
        "trusted-ca-file": made.credentials.etcd_authority.certificate,
        "client-cert-auth": "true",
        "log-level": "warn",
    }

    def ready() -> bool:
        trust = ssl.create_default_context(cafile=str(made.credentials.etcd_authority.certificate))
        trust.load_cert_chain(made.credentials.etcd.certificate, made.credentials.etcd.key)
        return probes.answers(_https("127.0.0.1", settings.ETCD_PORT, trust), "/health")

    return Component("etcd", made.bins["etcd"] / "etcd", _flags(flags), ready)


def apiserver(made: Makings) -> Component:
    """The API, on the node's own address only, so it is not offered to the machine's network."""
    have = made.credentials
    flags = {
        "etcd-servers": f"https://127.0.0.1:{settings.ETCD_PORT}",
        "etcd-cafile": have.etcd_authority.certificate,
        "etcd-certfile": have.etcd.certificate,
        "etcd-keyfile": have.etcd.key,
        "bind-address": settings.ADDRESS,
        "advertise-address": settings.ADDRESS,
        "secure-port": "6443",
        "tls-cert-file": have.apiserver.certificate,
        "tls-private-key-file": have.apiserver.key,
        "client-ca-file": have.authority.certificate,
        "service-account-issuer": settings.ISSUER,
        "service-account-key-file": have.token_public,
        "service-account-signing-key-file": have.token_key,
        "service-cluster-ip-range": settings.SERVICES,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-certificate-authority": have.authority.certificate,
        "kubelet-client-certificate": have.kubelet_client.certificate,
        "kubelet-client-key": have.kubelet_client.key,
        "kubelet-preferred-address-types": "InternalIP",
        "allow-privileged": "true",
    }

    def ready() -> bool:
        trust = ssl.create_default_context(cafile=str(have.authority.certificate))
        trust.load_cert_chain(have.admin.certificate, have.admin.key)
        return probes.answers(_https(settings.ADDRESS, 6443, trust), "/readyz")

    return Component("kube-apiserver", made.kube("kube-apiserver"), _flags(flags), ready)


def controllers(made: Makings) -> Component:
    """kube-controller-manager."""
    have = made.credentials
    flags = {
        "kubeconfig": made.node.kubeconfigs / "kube-controller-manager.kubeconfig",
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
        "root-ca-file": have.authority.certificate,
        "service-account-private-key-file": have.token_key,
        "use-service-account-credentials": "true",
        "cluster-signing-cert-file": have.authority.certificate,
        "cluster-signing-key-file": have.authority.key,
    }
    program = made.kube("kube-controller-manager")
    return Component("kube-controller-manager", program, _flags(flags), _own_https(10257))


def scheduler(made: Makings) -> Component:
    """kube-scheduler."""
    flags = {
        "kubeconfig": made.node.kubeconfigs / "kube-scheduler.kubeconfig",
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
    }
    return Component(
        "kube-scheduler", made.kube("kube-scheduler"), _flags(flags), _own_https(10259)
    )


def containerd(made: Makings, pause: str) -> Component:
    """The container runtime."""
    runc, cni = made.bins["runc"] / "runc", (made.bins["cni"], made.bins["calico"])
    text = configs.containerd(made.node, pause, runc, cni)
    config = made.config("containerd.toml", text)
    made.node.cni.mkdir(parents=True, exist_ok=True)
    ctr = made.bins["containerd"] / "ctr"

    def ready() -> bool:
        return shell.answers([ctr, "--address", made.node.socket, "version"])

    return Component(
        "containerd",
        made.bins["containerd"] / "containerd",
        ("--config", str(config)),
        ready,
        files=(config,),
        path=(made.bins["containerd"], made.bins["runc"]),
    )


def kubelet(made: Makings) -> Component:
    """The node's agent."""
    v1 = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
    config = made.config("kubelet.json", configs.kubelet(made.node, cgroup_v1=v1))
    flags = {
        "config": config,
        "kubeconfig": made.node.kubeconfigs / "kubelet.kubeconfig",
        "hostname-override": settings.NAME,
        "node-ip": settings.ADDRESS,
        "root-dir": made.node.folder / "kubelet",
    }
    ready = _http("127.0.0.1", 10248, "/healthz")
    return Component("kubelet", made.kube("kubelet"), _flags(flags), ready, files=(config,))


def kube_proxy(made: Makings) -> Component:
    """Service addresses."""
    config = made.config("kube-proxy.json", configs.kube_proxy(made.node))
    ready = _http(settings.ADDRESS, 10256, "/healthz")
    arguments = _flags({"config": config})
    return Component("kube-proxy", made.kube("kube-proxy"), arguments, ready, files=(config,))


def felix(made: Makings) -> Component:
    """Enforces NetworkPolicy."""
    # Felix does not make the folder in which it tells the CNI plugin that a pod's policy stands.
    (made.node.folder / "calico").mkdir(exist_ok=True)
    backend = "NFT" if "nf_tables" in shell.run(["iptables", "--version"]) else "Legacy"
    return Component(
        "calico-felix",
        made.bins["calico"] / "calico-felix",
        ("--config-file=/dev/null",),
        _http("127.0.0.1", 9099, "/readiness"),
        env=configs.felix(made.node, backend),
    )


def _flags(values: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(children.flags(values))


def _https(host: str, port: int, trust: ssl.SSLContext) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(host, port, context=trust, timeout=5)


def _http(host: str, port: int, path: str) -> Callable[[], bool]:
    return lambda: probes.answers(http.client.HTTPConnection(host, port, timeout=5), path)


def _own_https(port: int) -> Callable[[], bool]:
    # These make a certificate for themselves; only loopback is asked, and nothing is sent.
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return lambda: probes.answers(_https("127.0.0.1", port, trust), "/healthz")
