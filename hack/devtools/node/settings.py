"""Names, addresses and folders of the native node; one value object, no behaviour."""

from dataclasses import dataclass
from pathlib import Path

from devtools import places

NAME = "coxswain-node"
INTERFACE = "coxswain0"
ADDRESS = "10.88.0.1"
NETWORK = "10.88.0.0/24"
POD_FIRST, POD_LAST = "10.88.0.2", "10.88.0.250"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DOMAIN = "cluster.local"
ISSUER = "https://kubernetes.default.svc"
API_URL = f"https://{ADDRESS}:6443"
ETCD_PORT, ETCD_PEER_PORT = 12379, 12380
CNI_NETWORK = "coxswain"
FREE_BYTES = 8 * 10**9

# (address, port) each component listens on; free or ours before it starts.
PORTS: dict[str, tuple[tuple[str, int], ...]] = {
    "etcd": (("127.0.0.1", ETCD_PORT), ("127.0.0.1", ETCD_PEER_PORT)),
    "kube-apiserver": ((ADDRESS, 6443),),
    "kube-controller-manager": (("127.0.0.1", 10257),),
    "kube-scheduler": (("127.0.0.1", 10259),),
    "kubelet": ((ADDRESS, 10250), ("127.0.0.1", 10248)),
    "kube-proxy": ((ADDRESS, 10256), ("127.0.0.1", 10249)),
    "calico-felix": (("127.0.0.1", 9099),),
}


@dataclass(frozen=True)
class Node:
    """Where one node keeps its state."""

    folder: Path

    @property
    def before(self) -> Path:
        """How the machine was before the first `up`; its presence says the node is ours."""
        return self.folder / "before.json"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.folder / "logs"

    @property
    def config(self) -> Path:
        """Rendered configuration files."""
        return self.folder / "config"

    @property
    def kubeconfigs(self) -> Path:
        """One kubeconfig per component."""
        return self.folder / "kubeconfigs"

    @property
    def admin(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfigs / "admin.kubeconfig"

    @property
    def containerd(self) -> Path:
        """Containerd's own root, state and socket."""
        return self.folder / "containerd"

    @property
    def socket(self) -> Path:
        """Containerd's socket."""
        return self.containerd / "containerd.sock"

    @property
    def cni(self) -> Path:
        """CNI configuration; a pod can start only when it holds a list."""
        return self.folder / "cni"

    @property
    def cni_list(self) -> Path:
        """The only CNI list."""
        return self.cni / "10-coxswain.conflist"

    @property
    def volumes(self) -> Path:
        """Where the default StorageClass keeps its volumes."""
        return self.folder / "volumes"


def current() -> Node:
    """The node of this machine."""
    return Node(places.node())
