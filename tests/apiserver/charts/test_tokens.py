"""Nothing of the platform, and no pod of an agent, gets a token that lives for long."""

from collections.abc import Iterator
from typing import Any

import pytest

from coxswain.process import sidecar_account
from coxswain.sandbox import volumes
from tests.support import chart

HOUR = 3607
VALUES = (chart.WORKSPACES, chart.EXTERNAL_DATABASE, chart.BUCKET)


def tokens(objects: list[chart.Body]) -> Iterator[dict[str, Any]]:
    """Every token that a pod of the chart asks for."""
    for _, template in chart.pods(objects):
        for volume in template["spec"].get("volumes", []):
            for source in volume.get("projected", {}).get("sources", []):
                if "serviceAccountToken" in source:
                    yield source["serviceAccountToken"]


@pytest.mark.parametrize("values", VALUES, ids=lambda values: values.stem)
def test_every_token_of_the_chart_lives_for_an_hour_and_none_is_a_secret(values: Any) -> None:
    objects = chart.render(values)
    found = list(tokens(objects))
    assert found
    assert [each for each in found if not 600 <= each["expirationSeconds"] <= HOUR] == []
    kinds = {each.get("type") for each in chart.of_kind(objects, "Secret")}
    assert "kubernetes.io/service-account-token" not in kinds
    for _, template in chart.pods(objects):
        assert template["spec"]["automountServiceAccountToken"] is False


def test_what_the_platform_asks_for_itself_lives_for_an_hour() -> None:
    assert max(volumes.TOKEN_SECONDS, sidecar_account.LIFE_SECONDS) <= HOUR
