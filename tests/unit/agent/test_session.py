"""What programs of a run see."""

from pathlib import Path

import pytest

from coxswain_agent import session
from coxswain_agent.settings import AgentSettings
from tests.support.platform_door import RUN

SPAN = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.mark.parametrize(("span", "told"), [("", None), (SPAN, SPAN)])
def test_programs_find_the_attempts_span_under_the_name_that_sdks_read(
    span: str, told: str | None
) -> None:
    settings = AgentSettings(
        url="http://platform",
        models_url="http://models",
        token_file=Path("token"),
        run=RUN,
        traceparent=span,
    )
    outer = {"COXSWAIN_TRACEPARENT": span}
    found = session.environment(outer, "http://door", None, settings, {})
    assert found.get("TRACEPARENT") == told
    assert "COXSWAIN_TRACEPARENT" not in found
