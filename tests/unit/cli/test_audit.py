"""The command that verifies: what it says, and how it ends."""

from pathlib import Path

import pytest

from coxswain.cli import audit
from tests.support import audit_log
from tests.support.audit_log import Line

CHAIN = audit_log.sealed(
    [[audit_log.row(1), audit_log.row(2)], [audit_log.row(3)]], audit_log.keys()
)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "keys.txt"
    file.write_text(f"{audit_log.keys(2).public.text}\n{audit_log.keys().public.text}\n")
    return file


def written(folder: Path, lines: list[Line], name: str = "audit.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(audit_log.text(lines)))
    return file


def test_a_sound_export_ends_with_0_and_names_its_heads(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, audit_log.lines_of(CHAIN))
    assert audit.main(["verify", str(file), "--key", str(key)]) == 0
    said = capsys.readouterr().out
    assert f"head   team seal 2 {CHAIN[-1][0].digest}" in said
    assert said.endswith("sound\n")
    assert "asked  everything" in said


def test_a_changed_export_ends_with_1_and_says_where(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = audit_log.lines_of(CHAIN)
    lines[2]["row"]["actor"]["name"] = "somebody"
    assert audit.main(["verify", str(written(tmp_path, lines)), "--key", str(key)]) == 1
    assert "WRONG  seal 1 of workspace 'team'" in capsys.readouterr().out


def test_a_cut_is_found_after_an_earlier_export(tmp_path: Path, key: Path) -> None:
    earlier = written(tmp_path, audit_log.lines_of(CHAIN), "earlier.jsonl")
    words = ["verify", str(written(tmp_path, audit_log.lines_of(CHAIN[:1]))), "--key", str(key)]
    assert audit.main(words) == 0
    assert audit.main([*words, "--after", str(earlier)]) == 1


@pytest.mark.parametrize("missing", ["file", "key", "after"])
def test_a_file_that_cannot_be_read_ends_with_2_and_is_named(
    missing: str, tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path, audit_log.lines_of(CHAIN))
    files = {"file": good, "key": key, "after": good} | {missing: tmp_path / "absent"}
    words = ["verify", str(files["file"]), "--key", str(files["key"])]
    assert audit.main([*words, "--after", str(files["after"])]) == 2
    assert "absent" in capsys.readouterr().err


def test_a_file_without_a_key_ends_with_2(tmp_path: Path) -> None:
    file = written(tmp_path, audit_log.lines_of(CHAIN))
    for content in ("", "no key\n"):
        empty = tmp_path / "empty"
        empty.write_text(content)
        assert audit.main(["verify", str(file), "--key", str(empty)]) == 2
