"""Which RuntimeClass a pod gets."""

import pytest

from coxswain.sandbox import runtime
from coxswain.sandbox.runtime import Runtime
from tests.support import builders

PRESENT = {"gvisor", "kata"}


@pytest.mark.parametrize(
    ("wanted", "policy", "default", "expected"),
    [
        (None, "auto", "", None),
        (None, "auto", "gvisor", "gvisor"),
        (None, "auto", "absent", None),
        (None, "off", "gvisor", None),
        (None, "require", "gvisor", "gvisor"),
        ("kata", "auto", "gvisor", "kata"),
        ("kata", "off", "", "kata"),
        ("kata", "require", "absent", "kata"),
    ],
)
def test_the_agent_s_choice_goes_before_the_installation_s(
    wanted: str | None, policy: str, default: str, expected: str | None
) -> None:
    settings = builders.sandbox_settings(runtime_class=default, runtime_class_policy=policy)
    assert runtime.choose(wanted, settings, PRESENT) == Runtime(expected)


@pytest.mark.parametrize(
    ("wanted", "policy", "default", "words"),
    [
        ("absent", "auto", "", "no RuntimeClass absent"),
        ("absent", "off", "gvisor", "no RuntimeClass absent"),
        (None, "require", "absent", "no RuntimeClass absent"),
        (None, "require", "", "requires a RuntimeClass"),
    ],
)
def test_no_pod_starts_with_less_than_was_asked_for(
    wanted: str | None, policy: str, default: str, words: str
) -> None:
    settings = builders.sandbox_settings(runtime_class=default, runtime_class_policy=policy)
    found = runtime.choose(wanted, settings, PRESENT)
    assert found.name is None
    assert words in str(found.problem)
