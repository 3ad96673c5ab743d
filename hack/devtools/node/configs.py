"""Renders the configuration files of the node's components; pure text, nothing is started.

Why each setting is there: the node runs on a machine that is itself often a sandbox (no systemd,
no CAP_SYS_RESOURCE, cgroup v1) and beside other work, whose limits it must not touch.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from devtools.node import settings
from devtools.node.settings import Node

# An agent pod must not be able to exhaust the machine's process table.
POD_PIDS = 256


def kubelet(node: Node, cgroup_v1: bool) -> str:
    """KubeletConfiguration; JSON is YAML."""
    config: dict[str, object] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(node.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(node.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(node.pki / "kubelet.key"),
        "clusterDNS": [settings.DNS_SERVICE],
        "clusterDomain": settings.DOMAIN,
        "resolvConf": "",
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "oomScoreAdj": 0,
        "podPidsLimit": POD_PIDS,
        "serializeImagePulls": False,
        "localStorageCapacityIsolation": True,
        # Who fills a volume is seen within this and the 10 s between two looks for evictions; else a minute.
        "volumeStatsAggPeriod": "15s",
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1Gi",
            "imagefs.available": "1Gi",
        },
        # Images cannot be pulled again, so a full disk must not make the kubelet drop them.
        "imageGCHighThresholdPercent": 100,
        "podLogsDir": str(node.folder / "podlogs"),
        "volumePluginDir": str(node.folder / "volume-plugins"),
    }
    if cgroup_v1:
        config["failCgroupV1"] = False
    return json.dumps(config, indent=1)


def containerd(node: Node, pause: str, runc: Path, cni: Sequence[Path]) -> str:
    """Containerd's TOML: own root, state and socket, so the machine's own is left alone."""
    folders = ", ".join(json.dumps(str(folder)) for folder in cni)
    runtime = 'plugins."io.containerd.cri.v1.runtime"'
    return f"""version = 3
root = "{node.containerd}/root"
state = "{node.containerd}/state"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "{node.socket}"
[ttrpc]
address = "{node.socket}.ttrpc"
[plugins."io.containerd.nri.v1.nri"]
disable = true
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"
[{runtime}]
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true
[{runtime}.cni]
bin_dirs = [{folders}]
conf_dir = "{node.cni}"
[{runtime}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{runtime}.containerd.runtimes.runc.options]
BinaryName = "{runc}"
Root = "{node.containerd}/state/runc"
"""


def kube_proxy(node: Node) -> str:
    """KubeProxyConfiguration; zero conntrack values leave the machine's own limits alone."""
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(node.kubeconfigs / "kube-proxy.kubeconfig")},
            "clusterCIDR": settings.NETWORK,
            "hostnameOverride": settings.NAME,
            "healthzBindAddress": f"{settings.ADDRESS}:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "iptables": {"localhostNodePorts": False},
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        },
        indent=1,
    )


def cni_list(node: Node) -> str:
    """The CNI list: Calico's plugin, addresses from a local range, host ports."""
    calico = {
        "type": "calico",
        "datastore_type": "kubernetes",
        "nodename": settings.NAME,
        "nodename_file_optional": True,
        "log_level": "info",
        "log_file_path": str(node.logs / "cni.log"),
        "mtu": 1500,
        "ipam": {
            "type": "host-local",
            "dataDir": str(node.folder / "addresses"),
            "ranges": [
                [
                    {
                        "subnet": settings.NETWORK,
                        "rangeStart": settings.POD_FIRST,
                        "rangeEnd": settings.POD_LAST,
                    }
                ]
            ],
        },
        "policy": {"type": "k8s"},
        "kubernetes": {"kubeconfig": str(node.kubeconfigs / "calico.kubeconfig")},
        # A pod starts only when its policy is in force.
        "policy_setup_timeout_seconds": 10,
        "endpoint_status_dir": str(node.folder / "calico" / "endpoint-status"),
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps(
        {"cniVersion": "1.0.0", "name": settings.CNI_NETWORK, "plugins": [calico, ports]}, indent=1
    )


def felix(node: Node, backend: str) -> dict[str, str]:
    """Felix's environment. IPv6 must be on: else link-local IPv6 is a way around every policy."""
    values = {
        "FELIXHOSTNAME": settings.NAME,
        "DATASTORETYPE": "kubernetes",
        "INTERFACEPREFIX": "cali",
        "IPTABLESBACKEND": backend,
        "IPV6SUPPORT": "true",
        "BPFENABLED": "false",
        "XDPENABLED": "false",
        "DEFAULTENDPOINTTOHOSTACTION": "ACCEPT",
        "USAGEREPORTINGENABLED": "false",
        "LOGFILEPATH": "none",
        "LOGSEVERITYSYS": "none",
        "LOGSEVERITYSCREEN": "info",
        "HEALTHENABLED": "true",
        "HEALTHHOST": "127.0.0.1",
        "HEALTHPORT": "9099",
        "DEBUGCPUPROFILEPATH": "none",
        "DEBUGMEMORYPROFILEPATH": "none",
        "ENDPOINTSTATUSPATHPREFIX": str(node.folder / "calico"),
    }
    return {
        "DATASTORE_TYPE": "kubernetes",
        "KUBECONFIG": str(node.kubeconfigs / "calico.kubeconfig"),
        **{f"FELIX_{name}": value for name, value in values.items()},
    }
