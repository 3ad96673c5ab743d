"""The claim of a persistent workspace."""

from coxswain import names
from coxswain.sandbox import volumes
from tests.support import builders


def test_a_claim_that_goes_with_its_agent_is_owned_by_it() -> None:
    agent = builders.agent().with_home("3Gi").parsed
    claim = volumes.claim(agent)
    (owner,) = claim["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Agent", agent.metadata.uid)
    assert claim["metadata"]["name"] == names.workspace_claim("helm", agent.metadata.uid)
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOncePod"],
        "resources": {"requests": {"storage": "3Gi"}},
    }


def test_a_claim_that_is_retained_has_no_owner() -> None:
    claim = volumes.claim(builders.agent().with_home(retention="Retain").parsed)
    assert "ownerReferences" not in claim["metadata"]


def test_a_named_class_is_asked_for() -> None:
    home = {"type": "Persistent", "storageClassName": "fast"}
    claim = volumes.claim(builders.agent().with_spec(workspace=home).parsed)
    assert claim["spec"]["storageClassName"] == "fast"
