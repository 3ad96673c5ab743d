"""What the agent program is told contradicts nothing: trust goes with TLS."""

from typing import Any

import pytest
from pydantic import ValidationError

from coxswain_agent.settings import AgentSettings

RUN = "8f1b5a3c-0000-4000-8000-000000000001/1"
PLAIN = {"url": "http://api:8080", "models_url": "http://models:8081", "run": RUN}
SECURE = {**PLAIN, "url": "https://api:8080", "models_url": "https://models:8081"}


@pytest.mark.parametrize(
    "given",
    [
        PLAIN,
        {**PLAIN, "egress_url": "http://egress:8082"},
        {**SECURE, "ca_file": "ca.crt"},
        {**SECURE, "ca_file": "ca.crt", "egress_url": "https://egress:8082"},
    ],
)
def test_doors_are_plain_or_trust_is_told(given: dict[str, Any]) -> None:
    assert AgentSettings(**given).url == given["url"]


@pytest.mark.parametrize(
    "given",
    [
        SECURE,
        {**PLAIN, "egress_url": "https://egress:8082"},
        {**PLAIN, "models_url": "https://models:8081"},
        {**PLAIN, "ca_file": "ca.crt"},
    ],
)
def test_tls_without_trust_or_trust_without_tls_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="COXSWAIN_CA_FILE"):
        AgentSettings(**given)
