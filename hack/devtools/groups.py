"""The pinned Go programs, in groups that share one go.mod.

Groups are apart because their dependencies differ; versions stand in `hack/node/<group>/go.mod`
and nowhere else.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from devtools import places

KUBERNETES_NAMES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)


@dataclass(frozen=True)
class Group:
    """What one folder of `hack/node` builds.

    `packages` maps a program to its import path; `names` are further names of the only program;
    `share` maps a file or folder we keep beside the programs to its path inside `module`.
    """

    name: str
    module: str
    packages: dict[str, str]
    names: tuple[str, ...] = ()
    tags: str = ""
    cgo: bool = False
    share: dict[str, str] = field(default_factory=dict)
    debian: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its go.mod stands."""
        return places.GROUPS / self.name

    def version(self) -> str:
        """The pinned version without its v, from the group's go.mod."""
        text = (self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require\s+)?{re.escape(self.module)} v(\S+)", text, re.M)
        return found.group(1) if found else "unknown"

    def link_flags(self) -> str:
        """Strip symbols; Kubernetes must know its version or clients refuse it."""
        flags = "-s -w"
        if self.name == "kubernetes":
            version = self.version()
            major, minor, _ = version.split(".", 2)
            stamp = "-X k8s.io/component-base/version."
            flags += (
                f" {stamp}gitVersion=v{version} {stamp}gitMajor={major} {stamp}gitMinor={minor}"
            )
        return flags


_CNI = "github.com/containernetworking/plugins"
_CONTAINERD = "github.com/containerd/containerd/v2"
_CALICO = "github.com/projectcalico/calico"

_ALL = (
    Group("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Group(
        "kubernetes",
        "k8s.io/kubernetes",
        {"kube": "."},
        names=KUBERNETES_NAMES,
        share={"pause.c": "build/pause/linux/pause.c"},
    ),
    Group("helm", "helm.sh/helm/v4", {"helm": "helm.sh/helm/v4/cmd/helm"}),
    Group(
        "kubeconform",
        "github.com/yannh/kubeconform",
        {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
    ),
    Group(
        "containerd",
        _CONTAINERD,
        {
            name: f"{_CONTAINERD}/cmd/{name}"
            for name in ("containerd", "containerd-shim-runc-v2", "ctr")
        },
        tags="no_btrfs,no_devmapper,no_zfs",
    ),
    Group(
        "runc",
        "github.com/opencontainers/runc",
        {"runc": "github.com/opencontainers/runc"},
        tags="seccomp",
        cgo=True,
        debian=("libseccomp-dev", "pkg-config", "gcc", "libc6-dev"),
    ),
    Group(
        "cni",
        _CNI,
        {
            "loopback": f"{_CNI}/plugins/main/loopback",
            "host-local": f"{_CNI}/plugins/ipam/host-local",
            "portmap": f"{_CNI}/plugins/meta/portmap",
        },
    ),
    Group("coredns", "github.com/coredns/coredns", {"coredns": "github.com/coredns/coredns"}),
    Group(
        "calico",
        _CALICO,
        {
            "calico-felix": f"{_CALICO}/felix/cmd/calico-felix",
            "calico": f"{_CALICO}/cni-plugin/cmd/calico",
        },
        share={"crd": "libcalico-go/config/crd"},
    ),
    Group(
        "local-path",
        "github.com/rancher/local-path-provisioner",
        {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
    ),
    Group("kind", "sigs.k8s.io/kind", {"kind": "sigs.k8s.io/kind"}),
    Group(
        "versitygw",
        "github.com/versity/versitygw",
        {"versitygw": "github.com/versity/versitygw/cmd/versitygw"},
    ),
)

BY_NAME: dict[str, Group] = {group.name: group for group in _ALL}
CONTROL_PLANE = ("etcd", "kubernetes")
TOOLS = ("kubernetes", "helm", "kubeconform")
NODE = tuple(group.name for group in _ALL if group.name not in ("kind", "versitygw"))
