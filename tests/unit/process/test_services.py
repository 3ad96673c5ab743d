"""Whom agents trust at the doors, as the operator reads it."""

from pathlib import Path

import pytest

from coxswain.errors import ConfigurationError
from coxswain.process import services


def test_without_a_file_the_doors_are_plain() -> None:
    assert services.authority(None) is None


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_a_file_without_a_certificate_is_refused_by_the_name_of_its_setting(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match="COXSWAIN_DOORS_CA_FILE"):
        services.authority(file)
