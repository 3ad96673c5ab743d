"""Whether a tier of tests has done well."""

import pytest

from devtools import tiers
from devtools.tiers import Ran, Tier

QUICK = Tier("unit", ("tests/unit",), core_seconds=30)


@pytest.mark.parametrize(("cpu_seconds", "is_good"), [(59.9, True), (60.1, False)])
def test_a_tier_that_used_more_cpu_than_its_cores_have_in_the_time_has_failed(
    cpu_seconds: float, is_good: bool
) -> None:
    line, good = tiers.judge(QUICK, [], Ran(0, 25, cpu_seconds), cores=2)
    assert good is is_good
    assert line.startswith("  ok  " if is_good else "  fail")
    assert ("of which 60 s are allowed" in line) is not is_good


def test_neither_other_work_on_the_machine_nor_words_of_ones_own_make_a_tier_fail() -> None:
    assert tiers.judge(QUICK, [], Ran(0, 300, 40), cores=2)[1]
    assert tiers.judge(QUICK, ["--cov"], Ran(0, 300, 400), cores=2)[1]
    assert tiers.judge(Tier("store", ("tests/store",)), [], Ran(0, 300, 400), cores=2)[1]


def test_failed_tests_fail_their_tier_and_none_at_all_only_where_all_were_asked_for() -> None:
    assert not tiers.judge(QUICK, [], Ran(1, 25, 40), cores=2)[1]
    assert not tiers.judge(QUICK, [], Ran(tiers.NO_TESTS, 1, 1), cores=2)[1]
    assert tiers.judge(QUICK, ["-k", "nothing"], Ran(tiers.NO_TESTS, 1, 1), cores=2)[1]


@pytest.mark.parametrize(
    ("name", "arguments", "code", "are_compared"),
    [
        ("apiserver", [], 0, True),
        ("apiserver", ["-k", "lease"], 0, False),
        ("apiserver", [], 1, False),
        ("store", [], 0, False),
        ("faults", [], 0, False),
    ],
)
def test_rights_are_compared_after_a_whole_and_green_run_of_the_apiserver_tier_alone(
    name: str, arguments: list[str], code: int, are_compared: bool
) -> None:
    assert tiers.tells_all_rights(tiers.BY_NAME[name], arguments, code) is are_compared


def test_the_unit_tier_is_held_to_sixty_seconds_a_core() -> None:
    assert tiers.BY_NAME["unit"].core_seconds == 60


@pytest.mark.parametrize(
    ("names", "beside"),
    [
        (("unit", "store", "apiserver", "cluster"), ["store", "apiserver"]),
        (("unit", "cluster"), []),
        (("cluster", "store"), []),
        (("unit", "store"), []),
    ],
)
def test_images_are_built_beside_a_tier_before_the_clusters_whose_cpu_is_not_counted(
    names: tuple[str, ...], beside: list[str]
) -> None:
    chosen = [tiers.BY_NAME[name] for name in names]
    found = [name for at, name in enumerate(names) if tiers.has_room_for_images(chosen, at)]
    assert found == beside


def test_tests_that_must_be_alone_run_after_the_others_and_without_their_processes() -> None:
    together, alone = tiers.passes(
        Tier("cluster", ("tests",), arguments=("-n", "3"), alone="alone")
    )
    assert together == ("-n", "3", "-m", "not alone")
    assert alone == ("-m", "alone")
    assert tiers.passes(QUICK) == (QUICK.arguments,)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((0, 0), 0),
        ((0, 1), 1),
        ((1, 0), 1),
        ((tiers.NO_TESTS, 0), 0),
        ((0, tiers.NO_TESTS), 0),
        ((tiers.NO_TESTS, tiers.NO_TESTS), tiers.NO_TESTS),
        ((tiers.NO_TESTS, 2), 2),
    ],
)
def test_a_tier_is_as_well_as_each_of_its_passes(codes: tuple[int, ...], code: int) -> None:
    assert tiers.code(codes) == code
