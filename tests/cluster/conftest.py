"""The cluster that `hack/test cluster` has made and installed the platform into."""

import os
from pathlib import Path

import pytest

from devtools.kubectl import Kubectl


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """An administrator's kubectl."""
    kubeconfig = os.environ.get("KUBECONFIG")
    assert kubeconfig, "run this tier with hack/test cluster"
    return Kubectl(Path(kubeconfig))
