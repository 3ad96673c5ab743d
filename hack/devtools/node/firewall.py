"""Removes the packet rules and address sets of the node, and no others.

kube-proxy, Felix, the host-port plugin and the chaos tester keep their rules in chains with prefixes of their
own, reached by jumps from the built-in chains.
"""

import shutil

from devtools import shell

PREFIXES = ("KUBE-", "cali-", "CNI-", "COXSWAIN-")
TABLES = ("raw", "mangle", "nat", "filter")
FAMILIES = ("iptables", "ip6tables")


def clean() -> None:
    """Remove rules, chains and sets, for both families."""
    for family in FAMILIES:
        for table in TABLES:
            script = removal(table, _saved(family, table))
            if script:
                shell.run([f"{family}-restore", "--noflush"], stdin=script)
    for name in sets():
        shell.run(["ipset", "destroy", name])


def removal(table: str, saved: str) -> str:
    """What to feed to iptables-restore --noflush, made from what iptables-save printed."""
    chains: list[str] = []
    jumps: list[str] = []
    for line in saved.splitlines():
        words = line.split()
        if line.startswith(":") and words[0][1:].startswith(PREFIXES):
            chains.append(words[0][1:])
        elif line.startswith("-A") and _reaches_ours(words):
            jumps.append("-D" + line[2:])
    if not chains and not jumps:
        return ""
    declared = [f":{chain} - [0:0]" for chain in chains]
    deleted = [f"-X {chain}" for chain in chains]
    return "\n".join([f"*{table}", *declared, *jumps, *deleted, "COMMIT", ""])


def chains() -> list[str]:
    """Chains with our prefixes that stand now."""
    found: list[str] = []
    for family in FAMILIES:
        for table in TABLES:
            lines = _saved(family, table).splitlines()
            names = (line.split()[0][1:] for line in lines if line.startswith(":"))
            found += [name for name in names if name.startswith(PREFIXES)]
    return found


def sets() -> list[str]:
    """Address sets of Felix."""
    if shutil.which("ipset") is None:
        return []
    names = shell.run(["ipset", "list", "-n"]).split()
    return [name for name in names if name.startswith("cali")]


def _reaches_ours(words: list[str]) -> bool:
    """A rule of a built-in chain that jumps to us, or that Felix marked with its comment."""
    if words[1].startswith(PREFIXES):
        return False
    target = words[words.index("-j") + 1] if "-j" in words else ""
    return target.startswith(PREFIXES) or any(word.strip('"').startswith("cali:") for word in words)


def _saved(family: str, table: str) -> str:
    if shutil.which(f"{family}-save") is None:
        return ""
    return shell.run([f"{family}-save", "-t", table])
