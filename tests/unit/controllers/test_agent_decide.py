"""What an Agent's status says, as a table of what was seen, and the claim of its home."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.api.agent import AgentStatus
from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.api.kind import Agent, Metadata
from coxswain.errors import UserError
from coxswain.reconcile import actions, key
from coxswain_controllers.agent import status
from coxswain_controllers.agent.decide import LOOK_AGAIN, decide
from coxswain_controllers.agent.snapshot import AgentSnapshot
from tests.support import builders, kstatus
from tests.support.builders import AgentBuilder
from tests.support.snapshots import NOW, at

ORDER = list(ConditionType)
HOME = builders.agent().with_home()


def _model(word: str, reason: str, message: str = "") -> Seen:
    return Seen(ConditionType.MODEL_READY, word, reason, message)  # type: ignore[arg-type]


def _seen(builder: AgentBuilder | None = None, **seen: Any) -> AgentSnapshot:
    raw = (builder or builders.agent().with_model()).raw
    known = AgentSnapshot(
        key=key.of("Agent", raw),
        metadata=Metadata.parse(raw),
        agent=Agent.parse(raw),
        status=Agent.status_of(raw),
        model=_model("True", "Ready"),
        sandbox=Seen(ConditionType.SANDBOX_READY, "True", "Ready"),
        enforced=None,
    )
    return replace(known, **seen)


LEAKS = Seen(ConditionType.SANDBOX_ENFORCED, "False", "NotEnforced", "a pod reached the world")
NO_KEY = _model("False", "CredentialsMissing", "there is no Secret brain")
NO_SANDBOX = Seen(ConditionType.SANDBOX_READY, "False", "NotOnboarded")
STORIES: dict[str, tuple[AgentSnapshot, str, str, str]] = {
    "ready": (_seen(), "Ready", "Ready", "Current"),
    "ready in a leaking network": (_seen(enforced=LEAKS), "Ready", "Ready", "Current"),
    "no key": (_seen(model=NO_KEY), "Pending", "CredentialsMissing", "InProgress"),
    "unchecked": (_seen(model=_model("Unknown", "Pending")), "Pending", "Pending", "InProgress"),
    "no sandbox": (_seen(sandbox=NO_SANDBOX), "Pending", "NotOnboarded", "InProgress"),
    "neither": (
        _seen(sandbox=NO_SANDBOX, model=NO_KEY),
        "Pending",
        "CredentialsMissing",
        "InProgress",
    ),
    "unreadable": (_seen(agent=UserError("spec.models: bad")), "Failed", "Invalid", "Failed"),
}
ALL = {**STORIES, "suspended": (_seen(builders.agent().suspended()), "Suspended", "Suspended", "")}


@pytest.mark.parametrize(("seen", "phase", "reason", "_reading"), ALL.values(), ids=ALL)
def test_the_phase_and_the_reason_of_ready_follow_from_what_was_seen(
    seen: AgentSnapshot, phase: str, reason: str, _reading: str
) -> None:
    found = AgentStatus.model_validate(status.of(seen, NOW))
    ready = find(found.conditions, ConditionType.READY)
    assert ready is not None
    assert (found.phase, ready.reason) == (phase, reason)
    assert (ready.status == "True") == (phase == "Ready")


@pytest.mark.parametrize("seen", [each[0] for each in ALL.values()], ids=ALL)
def test_the_conditions_stand_in_the_fixed_order_and_are_of_this_generation(
    seen: AgentSnapshot,
) -> None:
    third = replace(seen, metadata=seen.metadata.model_copy(update={"generation": 3}))
    found = status.of(third, NOW)
    places = [ORDER.index(ConditionType(each["type"])) for each in found["conditions"]]
    assert places == sorted(set(places))
    assert {each["observedGeneration"] for each in found["conditions"]} == {3}
    assert found["observedGeneration"] == 3


@pytest.mark.parametrize(("seen", "_phase", "_reason", "reading"), STORIES.values(), ids=STORIES)
def test_a_deploy_tool_reads_the_status_as_it_is_meant(
    seen: AgentSnapshot, _phase: str, _reason: str, reading: str
) -> None:
    found = status.of(seen, NOW)
    assert kstatus.read({"generation": 1}, found) == reading
    assert kstatus.read({"generation": 2}, found) == "InProgress"


def test_missing_credentials_are_the_reason_and_the_message_of_an_unready_agent() -> None:
    found = AgentStatus.model_validate(status.of(_seen(model=NO_KEY), NOW))
    ready, model = (
        find(found.conditions, each) for each in (ConditionType.READY, ConditionType.MODEL_READY)
    )
    assert ready is not None
    assert model is not None
    assert (ready.status, ready.reason) == ("False", "CredentialsMissing")
    assert (model.status, model.message, ready.message) == ("False", NO_KEY.message, NO_KEY.message)


@pytest.mark.parametrize("seen", [each[0] for each in ALL.values()], ids=ALL)
def test_the_same_seen_again_gives_the_same_status_and_no_second_note(seen: AgentSnapshot) -> None:
    first = decide(seen, NOW)
    known = replace(seen, status=AgentStatus.model_validate(first.status))
    second = decide(known, at(60))
    assert (second.status, second.notes) == (first.status, ())


def test_people_are_told_of_what_they_can_mend() -> None:
    assert [each.reason for each in decide(_seen(model=NO_KEY), NOW).notes] == [NO_KEY.reason]
    assert decide(_seen(model=_model("Unknown", "Pending")), NOW).notes == ()
    assert decide(_seen(), NOW).notes == ()


def test_an_agent_that_waits_is_looked_at_again() -> None:
    assert decide(_seen(model=NO_KEY), NOW).wake_at == NOW + LOOK_AGAIN
    assert decide(_seen(), NOW).wake_at is None


def test_a_home_is_claimed_once_its_workspace_is_ready_and_named_in_the_status() -> None:
    assert decide(_seen(HOME, sandbox=NO_SANDBOX), NOW).actions == ()
    first = decide(_seen(HOME), NOW)
    (claim,) = first.actions
    assert isinstance(claim, actions.KeepClaim)
    known = _seen(HOME, status=AgentStatus.model_validate(first.status))
    assert known.status.workspace_claim == claim.manifest["metadata"]["name"]
    assert decide(known, NOW).actions == ()
    newer = replace(known, metadata=known.metadata.model_copy(update={"generation": 2}))
    assert [type(each) for each in decide(newer, NOW).actions] == [actions.KeepClaim]


def test_an_agent_without_a_home_claims_nothing() -> None:
    decision = decide(_seen(), NOW)
    assert decision.actions == ()
    assert decision.status is not None
    assert "workspaceClaim" not in decision.status


def test_a_suspended_agent_that_lacks_nothing_is_left_alone() -> None:
    assert decide(_seen(builders.agent().suspended()), NOW).wake_at is None
