"""Brings the native node up, down, and says how it is.

`up` is one list of steps that each look first and act only on what is missing, so a second run
takes seconds and a run after a kill at any point repairs.
"""

from devtools import console, debian, locks, places
from devtools.errors import ToolError
from devtools.images import base, catalog, store
from devtools.node import (
    addons,
    components,
    configs,
    credentials,
    firewall,
    leftovers,
    machine,
    preflight,
    processes,
    runtime,
    settings,
)
from devtools.node.addons import Kubectl
from devtools.node.settings import Node


def up(node: Node) -> None:
    """Start or repair the node."""
    with locks.held(places.cache() / "node.lock", "hack/cluster"):
        if not node.before.exists():
            preflight.require_disk(node)
        debian.ensure((*debian.NODE, *debian.BUILD))
        machine.remember(node)
        machine.add_address()
        preflight.require_ports(node)
        made = components.makings(node, credentials.ensure(node))
        images = {name: store.ensure(name) for name in catalog.NODE}
        _start(node, made, images)


def _start(node: Node, made: components.Makings, images: dict[str, str]) -> None:
    def run(component: processes.Component) -> None:
        processes.ensure(component, node.folder, node.logs)

    run(components.etcd(made))
    run(components.apiserver(made))
    run(components.controllers(made))
    run(components.scheduler(made))
    run(components.containerd(made, images["pause"]))
    for ref in images.values():
        runtime.load(node, ref, store.archive(ref))
    # Tests and samples name the public image; here it is the base.
    runtime.name(node, images["base"], base.NAME)
    felix = components.felix(made)
    if not processes.running(node.folder, felix.name):
        node.cni_list.unlink(missing_ok=True)
    # No pod gets a network before the CNI list is there, but kube-proxy waits for the node object.
    run(components.kubelet(made))
    run(components.kube_proxy(made))
    kubectl = Kubectl(node)
    with console.step("apply policy, DNS and volume objects"):
        addons.apply_policy(kubectl)
        addons.apply(kubectl, images, node)
    run(felix)
    _allow_networks(node)
    with console.step("wait for the node, DNS and volumes"):
        addons.await_ready(kubectl)


def _allow_networks(node: Node) -> None:
    """Give pods a network, now that Felix enforces policy; before it nothing would be."""
    text = configs.cni_list(node)
    if node.cni_list.exists() and node.cni_list.read_text() == text:
        return
    # containerd looks again only on a write or a rename inside the folder.
    new = node.cni / ".new"
    new.write_text(text)
    new.rename(node.cni_list)


def down(node: Node) -> None:
    """Stop the node and leave nothing of it behind but the cache of built things."""
    if not node.folder.exists():
        console.say("no native node here")
        return
    if not node.before.exists() and any(node.folder.iterdir()):
        raise ToolError(f"{node.folder} was not made by hack/cluster", "remove it by hand if it is")
    with locks.held(places.cache() / "node.lock", "hack/cluster"):
        with console.step("stop processes and containers"):
            _stop_processes(node)
        with console.step("remove mounts, interfaces, rules"):
            leftovers.unmount(node.folder)
            leftovers.remove_groups()
            machine.remove_interfaces()
            firewall.clean()
        with console.step(f"remove {node.folder} and put settings back"):
            machine.restore(node)
            leftovers.remove_folder(node)
        _require_nothing_left(node)


def _require_nothing_left(node: Node) -> None:
    """Whatever a node puts on a machine is looked for once more."""
    left = [
        *(f"process {each.pid} ({each.component})" for each in processes.found(node.folder)),
        *(f"mount {point}" for point in leftovers.mounts(node.folder)),
        *machine.traces(),
    ]
    if left:
        raise ToolError(f"still there: {', '.join(left[:5])}", "run hack/cluster down again")


def _stop_processes(node: Node) -> None:
    # The kubelet first, so that nothing is started anew; Felix ends before its rules go.
    for name in ("kubelet", "calico-felix", "kube-proxy", "containerd"):
        process = processes.running(node.folder, name)
        if process:
            processes.kill([process.pid])
    leftovers.kill_containers()
    while left := [process.pid for process in processes.found(node.folder)]:
        processes.kill(left)


def status(node: Node) -> dict[str, bool]:
    """Each part of the node and whether it is well; empty without a node."""
    if not node.before.exists():
        return {}
    parts = {}
    for name in (*settings.PORTS, "containerd"):
        parts[name] = processes.running(node.folder, name) is not None
    kubectl = Kubectl(node)
    parts["node Ready"] = addons.conditions(kubectl, "node", settings.NAME).get("Ready") == "True"
    for namespace, name in addons.DEPLOYMENTS:
        parts[name] = addons.available(kubectl, namespace, name)
    return parts
