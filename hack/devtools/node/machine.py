"""What the node changes on the machine outside its own folder: written down before, put back after.

Other clusters keep traces of the same names (kubepods, KUBE- chains, cali- interfaces). Where
such a trace stands and no node of ours is written down, the machine belongs to somebody else.
"""

import json
import shutil
from pathlib import Path

from devtools import shell
from devtools.errors import ToolError
from devtools.node import firewall, settings
from devtools.node.settings import Node

SYS = Path("/proc/sys")
CGROUPS = Path("/sys/fs/cgroup")
# Set by the kubelet, kube-proxy and Felix; interfaces that come later inherit from `default`.
_PATTERNS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/*/forwarding",
    "net/ipv4/conf/*/route_localnet",
    "net/ipv4/conf/*/accept_redirects",
    "net/ipv6/conf/*/forwarding",
    "net/ipv6/conf/*/accept_ra",
    "net/bridge/bridge-nf-call-*",
    "net/netfilter/nf_conntrack_*",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
_READ_ONLY = ("nf_conntrack_count",)
# Folders that components make at fixed places; removed again unless they were there before.
_OUTSIDE = (
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/lib/calico",
    "/var/log/containers",
    "/var/run/calico",
    "/var/run/nodeagent",
    "/var/run/nri",
    "/run/containerd",
    "/etc/cni",
    "/opt/containerd",
    "/usr/libexec/kubernetes",
)
# Mounted by Felix.
_MOUNTS = ("/sys/fs/bpf",)


def remember(node: Node) -> None:
    """Write down how the machine is, once, before anything is changed."""
    if node.before.exists():
        return
    refuse_foreign()
    node.folder.mkdir(parents=True, exist_ok=True)
    now = {
        "sysctls": sysctls(),
        "outside": [path for path in _OUTSIDE if Path(path).exists()],
        "mounts": [path for path in _MOUNTS if Path(path).is_mount()],
    }
    new = node.before.with_suffix(".new")
    new.write_text(json.dumps(now, indent=1))
    new.rename(node.before)


def refuse_foreign() -> None:
    """Stop where another cluster, or another node of this kind, seems to live."""
    if found := traces():
        raise ToolError(
            f"another cluster seems to run on this machine: {', '.join(found[:5])}",
            "use it with --kubeconfig FILE, or take it down with its own tools first",
        )


def traces() -> list[str]:
    """What a cluster leaves on a machine: control groups, chains, address sets, interfaces."""
    return [
        *(str(path) for path in (*CGROUPS.glob("kubepods*"), *CGROUPS.glob("*/kubepods*"))),
        *firewall.chains(),
        *firewall.sets(),
        *(name for name in interfaces() if name == settings.INTERFACE or _is_pod(name)),
    ]


def restore(node: Node) -> None:
    """Put settings back and remove folders that were not there."""
    try:
        before = json.loads(node.before.read_text())
    except (OSError, ValueError):
        return  # never written: nothing was changed yet
    for name, value in before["sysctls"].items():
        path = SYS / name
        if path.exists() and path.read_text().strip() != value:
            path.write_text(value)
    for mount in _MOUNTS:
        if mount not in before["mounts"] and Path(mount).is_mount():
            shell.run(["umount", mount])
    for outside in _OUTSIDE:
        if outside not in before["outside"]:
            shutil.rmtree(outside, ignore_errors=True)
    _remove_own_files(node)


def _remove_own_files(node: Node) -> None:
    """Our files in folders that we share with another runtime of this machine."""
    for result in Path("/var/lib/cni/results").glob(f"{settings.CNI_NETWORK}-*"):
        result.unlink()
    for link in Path("/var/log/containers").glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(str(node.folder)):
            link.unlink()


def sysctls() -> dict[str, str]:
    """The settings that components change, as they are now."""
    paths = sorted(path for pattern in _PATTERNS for path in SYS.glob(pattern))
    kept = (path for path in paths if path.name not in _READ_ONLY and path.stat().st_mode & 0o200)
    return {str(path.relative_to(SYS)): path.read_text().strip() for path in kept}


def interfaces() -> list[str]:
    """Names of the network interfaces."""
    return sorted(path.name for path in Path("/sys/class/net").iterdir())


def add_address() -> None:
    """The interface that carries the node's address: a bridge, which every kernel has."""
    if settings.INTERFACE not in interfaces():
        _refuse_taken_network()
        shell.run(["ip", "link", "add", settings.INTERFACE, "type", "bridge"])
    shell.run(["ip", "address", "replace", f"{settings.ADDRESS}/24", "dev", settings.INTERFACE])
    shell.run(["ip", "link", "set", settings.INTERFACE, "up"])
    (SYS / "net/ipv4/ip_forward").write_text("1")


def remove_interfaces() -> None:
    """The node's own and those of its pods."""
    for name in interfaces():
        if name == settings.INTERFACE or _is_pod(name):
            shell.answers(["ip", "link", "delete", name])


def _is_pod(name: str) -> bool:
    return name.startswith("cali")


def _refuse_taken_network() -> None:
    routes = json.loads(shell.run(["ip", "-json", "route", "show", "root", settings.NETWORK]))
    routes += json.loads(shell.run(["ip", "-json", "route", "show", "match", settings.NETWORK]))
    taken = [route for route in routes if route.get("dst") != "default"]
    if taken:
        raise ToolError(
            f"the network {settings.NETWORK} is in use ({taken[0].get('dev')})",
            "is podman's default network up? remove that network, or run on another machine",
        )
