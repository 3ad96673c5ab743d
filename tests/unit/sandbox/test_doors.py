"""Doors as a pod knows them, and whether it still reaches them."""

from dataclasses import replace
from typing import Any

import pytest

from coxswain.sandbox import doors, pod
from coxswain.sandbox.doors import Doors
from tests.support import builders

ONE = "-----BEGIN CERTIFICATE-----\none\n-----END CERTIFICATE-----\n"
OTHER = ONE.replace("one", "other")


def secure(authority: str = ONE) -> Doors:
    """The doors of the tests, over TLS."""
    plain = builders.DOORS
    return Doors(
        platform=replace(plain.platform, is_secure=True),
        models=replace(plain.models, is_secure=True),
        web=replace(plain.web, is_secure=True),
        authority=authority,
    )


def made(known: Doors) -> dict[str, Any]:
    """The pod of an attempt that was made while the doors were so."""
    platform = replace(builders.platform(), doors=known)
    request = builders.pod_request(builders.agent().parsed, builders.job().parsed)
    return pod.build(request, platform)


def moved(known: Doors) -> Doors:
    return replace(known, web=replace(known.web, addresses=("10.96.0.99",)))


@pytest.mark.parametrize(
    ("then", "now", "reaches"),
    [
        (builders.DOORS, builders.DOORS, True),
        (builders.DOORS, moved(builders.DOORS), False),
        (secure(), secure(), True),
        (secure(), moved(secure()), False),
        # TLS was switched on, or off.
        (builders.DOORS, secure(), False),
        (secure(), builders.DOORS, False),
        # Another signs; first both are told of, then the new one alone.
        (secure(), secure(OTHER), False),
        (secure(), secure(OTHER + ONE), True),
        (secure(ONE + OTHER), secure(OTHER), True),
    ],
)
def test_a_pod_reaches_the_doors_that_it_was_told_of(
    then: Doors, now: Doors, *, reaches: bool
) -> None:
    assert doors.are_known(now, made(then)) is reaches


def test_a_pod_without_annotations_knows_plain_doors() -> None:
    raw = made(builders.DOORS)
    del raw["metadata"]["annotations"]
    assert doors.are_known(builders.DOORS, raw)
    assert not doors.are_known(secure(), raw)


def test_only_our_own_containers_are_told_of_doors_over_tls_and_whom_to_trust() -> None:
    manifest = made(secure())
    (container,) = manifest["spec"]["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["COXSWAIN_URL"] == "https://coxswain-api.coxswain-system.svc:8080"
    assert told["COXSWAIN_MODELS_URL"] == "https://coxswain-models.coxswain-system.svc:8081"
    assert told["COXSWAIN_EGRESS_URL"] == "https://coxswain-egress.coxswain-system.svc:8082"
    folder, _, file = told["COXSWAIN_CA_FILE"].rpartition("/")
    (volume,) = [each for each in manifest["spec"]["volumes"] if each["name"] == "identity"]
    (source,) = [each for each in volume["projected"]["sources"] if "downwardAPI" in each]
    (item,) = source["downwardAPI"]["items"]
    assert item["path"] == file
    assert item["fieldRef"]["fieldPath"] == "metadata.annotations['coxswain.dev/doors-ca']"
    assert manifest["metadata"]["annotations"]["coxswain.dev/doors-ca"] == ONE
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts["identity"] == folder


def test_plain_doors_leave_no_trace_of_tls() -> None:
    manifest = str(made(builders.DOORS))
    assert "https://" not in manifest
    assert "CA_FILE" not in manifest
    assert "downwardAPI" not in manifest


def test_beside_an_image_of_its_own_the_program_is_told_of_no_tls() -> None:
    platform = replace(builders.platform(), doors=secure())
    request = builders.pod_request(builders.agent().parsed, builders.job().parsed)
    beside = replace(request, run=request.run.model_copy(update={"image": "ghcr.io/team/tool:1"}))
    spec = pod.build(beside, platform)["spec"]
    (door,), (program,) = spec["initContainers"], spec["containers"]
    assert "COXSWAIN_CA_FILE" in str(door["env"])
    assert "https://" not in str(program["env"])
    assert "identity" not in {each["name"] for each in program["volumeMounts"]}
