"""What comes of a flag, the setting behind it and the mode."""

import pytest

from coxswain.rules import flags
from coxswain.rules.flags import DEMO, SCHEDULES, Flag, Mode
from devtools import processes


@pytest.mark.parametrize(
    ("said", "setting", "on"),
    [
        (None, True, True),
        (None, False, False),
        (True, False, True),
        (False, True, False),
    ],
)
@pytest.mark.parametrize(("flag", "mode"), [(SCHEDULES, "dev"), (SCHEDULES, "prod"), (DEMO, "dev")])
def test_a_flag_stands_before_the_setting_and_leaves_it_where_nobody_set_it(
    flag: Flag, mode: Mode, said: bool | None, *, setting: bool, on: bool
) -> None:
    assert flags.is_on(flag, said, setting=setting, mode=mode) is on


@pytest.mark.parametrize("said", [None, True, False])
@pytest.mark.parametrize("setting", [True, False])
def test_what_is_for_a_first_try_stays_off_in_prod(said: bool | None, *, setting: bool) -> None:
    assert flags.is_on(DEMO, said, setting=setting, mode="prod") is False


@pytest.mark.parametrize("flag", flags.TABLE.values(), ids=str)
def test_a_flag_names_a_setting_of_its_process(flag: Flag) -> None:
    assert processes.PROCESSES[flag.process].model_fields[flag.setting].annotation is bool
