"""An export is checked with public keys alone: whatever was done to it is found."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from coxswain.rules import audit_chain, audit_proof
from tests.support import audit_log
from tests.support.audit_log import Line, verified

ROWS = [audit_log.row(number) for number in range(1, 7)]
BATCHES = [ROWS[:2], ROWS[2:5], ROWS[5:]]
KEYS = audit_log.keys()
CHAIN = audit_log.sealed(BATCHES, KEYS)
# export, seal 1, 2 rows, seal 2, 3 rows, seal 3, 1 row, end
SECOND, THIRD = 4, 8


def whole() -> list[Line]:
    return copy.deepcopy(audit_log.lines_of(CHAIN))


def test_an_export_that_nobody_touched_is_sound() -> None:
    found = verified(whole())
    assert found.is_sound, found.flaws
    assert (found.seals, found.rows, found.heads["team"].number) == (3, 6, 3)


def change_row(lines: list[Line]) -> None:
    lines[SECOND + 1]["row"]["reason"] = "other"


def remove_row(lines: list[Line]) -> None:
    del lines[SECOND + 1]
    lines[-1]["end"]["rows"] -= 1


def swap_rows(lines: list[Line]) -> None:
    lines[SECOND + 1], lines[SECOND + 2] = lines[SECOND + 2], lines[SECOND + 1]


def repeat_row(lines: list[Line]) -> None:
    lines.insert(SECOND + 1, lines[SECOND + 1])
    lines[-1]["end"]["rows"] += 1


def add_row_and_count(lines: list[Line]) -> None:
    repeat_row(lines)
    lines[SECOND]["seal"]["body"]["rows"] += 1


def move_row_to_another_seal(lines: list[Line]) -> None:
    lines.insert(THIRD + 1, lines.pop(SECOND + 3))


def hide_row(lines: list[Line]) -> None:
    lines[SECOND + 1] = {"omitted": "00" * 32}
    lines[-1]["end"] |= {"rows": 5, "omitted": 1}


def remove_seal(lines: list[Line]) -> None:
    del lines[SECOND:THIRD]
    lines[-1]["end"] |= {"seals": 2, "rows": 3}


def remove_first_seal(lines: list[Line]) -> None:
    del lines[1:SECOND]
    lines[-1]["end"] |= {"seals": 2, "rows": 4}


def remove_first_seal_and_renumber(lines: list[Line]) -> None:
    del lines[1:SECOND]
    lines[1]["seal"]["body"]["number"] = 1
    lines[-1]["end"] |= {"seals": 2, "rows": 4}


def swap_seals(lines: list[Line]) -> None:
    lines[SECOND:-1] = lines[THIRD:-1] + lines[SECOND:THIRD]


def change_time_of_seal(lines: list[Line]) -> None:
    lines[SECOND]["seal"]["body"]["sealedAt"] = "2020-01-01T00:00:00.000000Z"


def sign_nothing(lines: list[Line]) -> None:
    lines[THIRD]["seal"]["signature"] = ""


def hide_rows_of_seal(lines: list[Line]) -> None:
    lines[SECOND]["seal"]["shown"] = False
    del lines[SECOND + 1 : THIRD]
    lines[-1]["end"]["rows"] = 3


def drop_rows_of_seal(lines: list[Line]) -> None:
    hide_rows_of_seal(lines)
    lines[SECOND]["seal"]["droppedAt"] = "2026-11-29T13:00:00.000000Z"


def cut(lines: list[Line]) -> None:
    del lines[THIRD:]


def cut_end(lines: list[Line]) -> None:
    del lines[-1]


def lose_what_is_not_sealed(lines: list[Line]) -> None:
    lines[-1]["end"]["unsealed"] = 1


def garbage(lines: list[Line]) -> None:
    lines.insert(SECOND, {"row": None})


def strange(lines: list[Line]) -> None:
    lines.insert(SECOND, {"other": {}})


def after_the_end(lines: list[Line]) -> None:
    lines.append({"unsealed": {}})


def another_installation(lines: list[Line]) -> None:
    lines[0]["export"]["installation"] = "other"


def no_beginning(lines: list[Line]) -> None:
    del lines[0]


DEEDS = [
    (change_row, "not those that were sealed"),
    (remove_row, "covers 3 rows, and 2 stand here"),
    (swap_rows, "not in their order"),
    (repeat_row, "covers 3 rows, and 4 stand here"),
    (add_row_and_count, "signature"),
    (move_row_to_another_seal, "covers 3 rows, and 2 stand here"),
    (hide_row, "leaves out a row"),
    (remove_seal, "what is between is missing"),
    (remove_first_seal, "those before it are missing"),
    (remove_first_seal_and_renumber, "names another before it"),
    (swap_seals, "what is between is missing"),
    (change_time_of_seal, "does not name the seal before it"),
    (sign_nothing, "signature"),
    (hide_rows_of_seal, "shows no rows"),
    (drop_rows_of_seal, "3 rows were dropped"),
    (cut, "the export was cut"),
    (cut_end, "the export was cut"),
    (lose_what_is_not_sealed, "stand here"),
    (garbage, "cannot be read"),
    (strange, "not known"),
    (after_the_end, "stands where none should"),
    (another_installation, "another installation"),
    (no_beginning, "stands where none should"),
]


@pytest.mark.parametrize(("deed", "found"), DEEDS, ids=lambda each: getattr(each, "__name__", ""))
def test_whatever_is_done_to_an_export_is_found(
    deed: Callable[[list[Line]], Any], found: str
) -> None:
    lines = whole()
    deed(lines)
    flaws = verified(lines).flaws
    assert [flaw for flaw in flaws if found in flaw], flaws


def test_a_line_that_is_no_json_is_found() -> None:
    lines = audit_log.text(whole())
    lines.insert(3, "{not json\n")
    assert any("line 4" in flaw for flaw in audit_proof.verify(lines, [KEYS.public]).flaws)


def test_a_chain_that_somebody_else_signed_is_not_sound() -> None:
    forged = audit_log.lines_of(audit_log.sealed(BATCHES, audit_log.keys(9)))
    assert any("was not given" in flaw for flaw in verified(forged).flaws)


def test_a_key_that_takes_the_place_of_another_leaves_the_chain_sound() -> None:
    old, new = audit_log.keys(1), audit_log.keys(2, former=[1])
    chain = audit_log.sealed(BATCHES[1:], new, after=audit_log.sealed(BATCHES[:1], old))
    lines = audit_log.lines_of(chain)
    assert verified(lines, by=new).is_sound
    assert any("was not given" in flaw for flaw in verified(lines, by=audit_log.keys(2)).flaws)


def test_rows_of_another_workspace_under_a_seal_are_found() -> None:
    strangers = [[audit_log.row(1, workspace="other")]]
    lines = audit_log.lines_of(audit_log.sealed(strangers, KEYS))
    assert any("another workspace" in flaw for flaw in verified(lines).flaws)


def test_chains_of_several_workspaces_stand_beside_each_other() -> None:
    others = [[audit_log.row(9, workspace="other")]]
    chains = [*CHAIN, *audit_log.sealed(others, KEYS, "other")]
    assert verified(audit_log.lines_of(chains)).is_sound
    torn = [chains[0], chains[-1], *chains[1:-1]]
    assert any("apart" in flaw for flaw in verified(audit_log.lines_of(torn)).flaws)


def test_rows_left_out_of_a_slice_leave_the_proof_whole() -> None:
    lines = whole()
    lines[0]["export"]["asked"] = {"actor": "user:local"}
    digest = audit_chain.digest_of_row(lines[SECOND + 1]["row"])
    lines[SECOND + 1] = {"omitted": digest}
    lines[-1]["end"] |= {"rows": 5, "omitted": 1}
    found = verified(lines)
    assert found.is_sound, found.flaws
    lines[SECOND + 1] = {"omitted": "00" * 32}
    assert not verified(lines).is_sound


def test_dropped_rows_are_told_and_taken_where_that_is_allowed() -> None:
    lines = whole()
    drop_rows_of_seal(lines)
    drop_rows_of_first_seal(lines)
    found = verified(lines, allow_dropped=True)
    assert found.is_sound, found.flaws
    assert found.dropped == 5
    assert any("3 rows were dropped" in note for note in found.notes)


def test_no_seal_is_emptied_before_an_older_one_of_its_workspace() -> None:
    lines = whole()
    drop_rows_of_seal(lines)
    flaws = verified(lines, allow_dropped=True).flaws
    assert flaws == [
        "seal 2 of workspace 'team': its rows were dropped and those of seal 1 before it were not"
    ]
    others = audit_log.sealed([[audit_log.row(9, workspace="other")]], KEYS, "other")
    beside = audit_log.lines_of([*CHAIN[:1], *others])
    beside[4]["seal"]["droppedAt"] = "2026-11-29T13:00:00.000000Z"
    del beside[5]
    beside[-1]["end"]["rows"] = 2
    found = verified(beside, allow_dropped=True)
    assert found.is_sound, found.flaws


def test_a_seal_that_was_emptied_after_the_one_that_an_export_goes_on_from_is_found() -> None:
    lines = after_second(CHAIN)
    lines[2]["seal"] |= {"shown": False, "droppedAt": "2026-11-29T13:00:00.000000Z"}
    del lines[3]
    lines[-1]["end"]["rows"] = 0
    flaws = verified(lines, allow_dropped=True).flaws
    assert any("those of seal 2 before it were not" in flaw for flaw in flaws)
    lines[1]["seal"]["droppedAt"] = "2026-11-29T12:59:00.000000Z"
    found = verified(lines, allow_dropped=True)
    assert found.is_sound, found.flaws


def drop_rows_of_first_seal(lines: list[Line]) -> None:
    lines[1]["seal"] |= {"shown": False, "droppedAt": "2026-11-29T13:00:00.000000Z"}
    del lines[2:SECOND]
    lines[-1]["end"]["rows"] -= 2


def test_a_name_that_stands_twice_in_a_line_is_found() -> None:
    lines = audit_log.text(whole())
    for twice in (
        lines[2].replace('"reason": ""', '"reason": "forged", "reason": ""'),
        lines[2].replace('{"row": ', '{"row": {}, "row": '),
    ):
        assert twice != lines[2]
        changed = [*lines[:2], twice, *lines[3:]]
        flaws = audit_proof.verify(changed, [KEYS.public]).flaws
        assert any("line 3: cannot be read" in flaw for flaw in flaws)


def test_a_cut_end_of_the_chain_is_found_with_an_earlier_export_only() -> None:
    shorter = audit_log.lines_of(CHAIN[:2])
    assert verified(shorter).is_sound
    flaws = verified(shorter, former=audit_log.heads(whole())).flaws
    assert any("does not go through seal 3" in flaw for flaw in flaws)


def test_an_export_goes_on_from_an_earlier_one() -> None:
    earlier = audit_log.heads(audit_log.lines_of(CHAIN[:2]))
    assert verified(whole(), former=earlier).is_sound
    rest = after_second(CHAIN)
    found = verified(rest, former=earlier)
    assert found.is_sound, found.flaws
    assert any("from seal 2 on" in note for note in found.notes)
    # The rows of seal 2 are in neither.
    sooner = audit_log.heads(audit_log.lines_of(CHAIN[:1]))
    assert not verified(rest, former=sooner).is_sound


def test_an_export_after_the_last_seal_shows_that_nothing_is_new() -> None:
    nothing = after_second(CHAIN[:2])
    found = verified(nothing, former=audit_log.heads(audit_log.lines_of(CHAIN[:2])))
    assert found.is_sound, found.flaws
    assert (found.rows, found.heads["team"].number) == (0, 2)
    flaws = verified(nothing, former=audit_log.heads(whole())).flaws
    assert any("does not go through seal 3" in flaw for flaw in flaws)


def test_an_export_after_a_seal_shows_that_seal_and_all_rows_of_those_that_follow() -> None:
    assert any("missing" in flaw for flaw in verified(audit_log.lines_of(CHAIN[2:], after=2)).flaws)
    lines = after_second(CHAIN)
    lines[2]["seal"]["shown"] = False
    del lines[3]
    lines[-1]["end"]["rows"] = 0
    assert any("shows no rows" in flaw for flaw in verified(lines).flaws)


def after_second(chain: list[Any]) -> list[Line]:
    """An export after seal 2 of this chain: that seal without its rows, and what follows."""
    lines = copy.deepcopy(audit_log.lines_of(chain[1:], workspace="team", after=2))
    del lines[2:5]
    lines[1]["seal"]["shown"] = False
    lines[-1]["end"]["rows"] -= 3
    return lines


def test_the_chain_of_what_belongs_to_no_workspace_has_a_name() -> None:
    own = audit_log.sealed([[audit_log.row(9, workspace="")]], KEYS, "")
    earlier = audit_log.heads(audit_log.lines_of([*CHAIN, *own]))
    assert verified(audit_log.lines_of(own, workspace="-"), former=earlier).is_sound
    cut = audit_log.lines_of([], workspace="-")
    assert not verified(cut, former=earlier).is_sound


def test_an_export_of_one_workspace_need_not_go_on_with_others() -> None:
    others = audit_log.sealed([[audit_log.row(9, workspace="other")]], KEYS, "other")
    earlier = audit_log.heads(audit_log.lines_of([*CHAIN, *others]))
    assert verified(audit_log.lines_of(CHAIN, workspace="team"), former=earlier).is_sound
    assert not verified(audit_log.lines_of(CHAIN), former=earlier).is_sound


def test_a_fork_is_found_with_an_earlier_export() -> None:
    other = audit_log.sealed([BATCHES[0], ROWS[3:5]], KEYS)
    flaws = verified(audit_log.lines_of(other), former=audit_log.heads(whole()[:8])).flaws
    assert any("forked" in flaw for flaw in flaws)


def test_a_restored_database_is_noted() -> None:
    lines = whole()
    lines[THIRD]["seal"]["body"]["server"] = "server/2/1"
    assert any("restore" in note for note in verified(lines).notes)


def test_many_flaws_end_the_reading() -> None:
    lines = ["{}\n"] * (audit_proof.MOST_FLAWS + 50)
    found = audit_proof.verify(lines, [KEYS.public])
    assert len(found.flaws) == audit_proof.MOST_FLAWS


def test_an_export_is_read_line_by_line_whatever_its_order_of_keys() -> None:
    lines = [json.dumps(line, sort_keys=True) for line in whole()]
    assert audit_proof.verify(lines, [KEYS.public]).is_sound
