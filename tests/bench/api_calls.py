"""What an API server was asked for, counted by itself: verb and resource, watches left out.

Its own counter instead of its audit log: a log costs time with every call, so it would cost the side
more that makes more calls.
"""

import re
from collections import Counter
from collections.abc import Iterable

from coxswain.kube.client import Client

METRIC = "apiserver_request_total{"
LABEL = re.compile(r'(\w+)="([^"]*)"')
WRITES = ("POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION")
KUBELET = ("PATCH pods/status", "POST pods/binding")
# A server keeps its own lease, and the use of quotas, at whoever's call.
SERVER = ("PUT resourcequotas/status",)


async def read(client: Client) -> Counter[str]:
    """How often each call was made since the server started."""
    return counted(await client.text("/metrics"))


def counted(text: str) -> Counter[str]:
    """The same of the server's metrics as text."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        if not line.startswith(METRIC):
            continue
        labels = dict(LABEL.findall(line))
        if labels["verb"] != "WATCH" and labels["resource"]:
            found[_name(labels)] += int(float(line.rpartition(" ")[2]))
    return found


def writes(calls: Counter[str]) -> int:
    """How many of them change something."""
    return sum(count for call, count in calls.items() if call.split()[0] in WRITES)


def of_controller(calls: Counter[str], users: Iterable[str]) -> Counter[str]:
    """Without what the users' own calls were, what a kubelet reports and the server does itself."""
    others = {*users, *KUBELET, *SERVER}
    return Counter({call: count for call, count in calls.items() if call not in others})


def _name(labels: dict[str, str]) -> str:
    group = f".{labels['group']}" if labels["group"] else ""
    below = f"/{labels['subresource']}" if labels["subresource"] else ""
    return f"{labels['verb']} {labels['resource']}{group}{below}"
