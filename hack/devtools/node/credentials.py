"""The node's certificates and kubeconfigs: one identity per component, none that expires soon."""

from dataclasses import dataclass
from pathlib import Path

from devtools import kubeconfig, pki
from devtools.node import settings
from devtools.node.settings import Node

# Felix and the CNI plugin use a certificate, because nothing would renew a token for them.
CALICO_USER = "coxswain-calico"

_CLIENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("admin", ("system:masters",)),
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "kube-proxy": ("system:kube-proxy", ()),
    "calico": (CALICO_USER, ()),
}


@dataclass(frozen=True)
class Credentials:
    """Everything the components need to know and trust each other."""

    authority: pki.Authority
    etcd_authority: pki.Authority
    apiserver: pki.Pair
    kubelet: pki.Pair
    kubelet_client: pki.Pair
    admin: pki.Pair
    etcd: pki.Pair
    token_key: Path
    token_public: Path


def ensure(node: Node) -> Credentials:
    """Make what is missing; what is there is kept."""
    authority = pki.Authority(node.pki)
    # etcd trusts nobody but the API server, so it has an authority of its own.
    etcd_authority = pki.Authority(node.pki / "etcd")
    private, public = authority.signing_keys("service-accounts")
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
    addresses = ("127.0.0.1", settings.ADDRESS, settings.API_SERVICE)
    kubelet_user, kubelet_hosts = f"system:node:{settings.NAME}", (settings.NAME, settings.ADDRESS)
    made = Credentials(
        authority=authority,
        etcd_authority=etcd_authority,
        apiserver=authority.issue("apiserver", "kube-apiserver", (), (*names, *addresses)),
        kubelet=authority.issue("kubelet", kubelet_user, ("system:nodes",), kubelet_hosts),
        kubelet_client=authority.issue("kubelet-client", "kubelet-client", ("system:masters",)),
        admin=authority.issue("admin", *_CLIENTS["admin"]),
        etcd=etcd_authority.issue("etcd", "etcd", (), ("127.0.0.1", "localhost")),
        token_key=private,
        token_public=public,
    )
    _write_kubeconfigs(node, made)
    return made


def _write_kubeconfigs(node: Node, made: Credentials) -> None:
    node.kubeconfigs.mkdir(parents=True, exist_ok=True)
    pairs = {name: made.authority.issue(name, *who) for name, who in _CLIENTS.items()}
    for name, pair in {**pairs, "kubelet": made.kubelet}.items():
        path = node.kubeconfigs / f"{name}.kubeconfig"
        kubeconfig.write(path, settings.API_URL, made.authority.certificate, pair)
