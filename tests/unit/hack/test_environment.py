"""What our Python programs are started with."""

import pytest

from devtools import environment


def test_what_python_compiles_is_kept_also_where_a_machine_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    found = environment.variables()
    assert "PYTHONDONTWRITEBYTECODE" not in found
    assert found["PYTHONPYCACHEPREFIX"].startswith(str(environment.folder()))
    assert found["SOMETHING_ELSE"] == "kept"
