import json
import tomllib
from pathlib import Path

import pytest

from devtools.node import addons, configs, leftovers, settings
from devtools.node.settings import Node

NODE = Node(Path("/state"))


def test_containerd_keeps_everything_in_the_nodes_folder() -> None:
    text = configs.containerd(NODE, "localhost/pause:1", Path("/bin/runc"), [Path("/cni")])
    config = tomllib.loads(text)
    for place in (config["root"], config["state"], config["grpc"]["address"]):
        assert place.startswith("/state/containerd/")
    runtime = config["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["netns_mounts_under_state_dir"]
    runc = runtime["containerd"]["runtimes"]["runc"]["options"]
    assert runc["Root"].startswith("/state/containerd/")


def test_every_pod_has_a_bound_on_its_processes() -> None:
    assert json.loads(configs.kubelet(NODE, cgroup_v1=False))["podPidsLimit"] == configs.POD_PIDS


def test_the_old_control_groups_are_allowed_only_where_they_are() -> None:
    assert json.loads(configs.kubelet(NODE, cgroup_v1=True))["failCgroupV1"] is False
    assert "failCgroupV1" not in json.loads(configs.kubelet(NODE, cgroup_v1=False))


def test_images_are_never_collected_because_they_cannot_be_pulled_again() -> None:
    config = json.loads(configs.kubelet(NODE, cgroup_v1=False))
    assert config["imageGCHighThresholdPercent"] == 100


def test_felix_guards_ipv6_too() -> None:
    assert configs.felix(NODE, "NFT")["FELIX_IPV6SUPPORT"] == "true"


def test_a_pods_network_waits_for_its_policy() -> None:
    calico = json.loads(configs.cni_list(NODE))["plugins"][0]
    assert calico["policy_setup_timeout_seconds"] > 0
    status = configs.felix(NODE, "NFT")["FELIX_ENDPOINTSTATUSPATHPREFIX"]
    assert calico["endpoint_status_dir"] == f"{status}/endpoint-status"


def test_the_nodes_own_address_is_not_given_to_a_pod() -> None:
    pool = json.loads(configs.cni_list(NODE))["plugins"][0]["ipam"]["ranges"][0][0]
    assert pool["rangeStart"] != settings.ADDRESS


def test_manifests_have_no_placeholder_left() -> None:
    values = {"coredns": "a:1", "local_path": "b:1", "base": "c:1", "volumes": "/state/volumes"}
    text = addons.render("local-path", values)
    assert '"paths": ["/state/volumes"]' in text
    assert '"$VOL_DIR"' in text  # the provisioner's own variable


def test_a_missing_value_of_a_manifest_is_an_error() -> None:
    with pytest.raises(KeyError):
        addons.render("coredns", {})


def test_no_mount_is_found_below_an_unused_folder(tmp_path: Path) -> None:
    assert leftovers.mounts(tmp_path) == []
