from pathlib import Path

import pytest

from devtools.errors import ToolError
from devtools.images import base, buildah, contents

CONTAINERFILE = """FROM docker.io/library/python:3.13-slim AS build
COPY --chown=1:1 pyproject.toml \\
     README.md /src/
COPY operator/ /src/operator/
RUN pip install /src
FROM docker.io/library/python:3.13-slim
COPY --from=build /usr/local /usr/local
"""


def test_the_inputs_are_what_the_containerfile_copies() -> None:
    assert contents.sources(CONTAINERFILE) == ["README.md", "operator", "pyproject.toml"]


def test_the_digest_follows_content_name_and_mode(tmp_path: Path) -> None:
    seen = set()
    file = tmp_path / "a"
    for text in ("one", "two"):
        file.write_text(text)
        seen.add(contents.digest(tmp_path, [Path("a")]))
    file.chmod(0o755)
    seen.add(contents.digest(tmp_path, [Path("a")]))
    file.rename(tmp_path / "b")
    seen.add(contents.digest(tmp_path, [Path("b")]))
    seen.add(contents.digest(tmp_path, [Path("b")], "another base"))
    assert len(seen) == 5


def test_the_digest_ignores_time(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    before = contents.digest(tmp_path, [Path("a")])
    file.write_text("one")
    assert contents.digest(tmp_path, [Path("a")]) == before


def test_compiled_modules_are_no_input(tmp_path: Path) -> None:
    (tmp_path / "p" / "__pycache__").mkdir(parents=True)
    (tmp_path / "p" / "a.py").write_text("")
    (tmp_path / "p" / "__pycache__" / "a.pyc").write_text("")
    assert contents.files(tmp_path, ["p"]) == [Path("p/a.py")]


def test_a_staged_context_holds_the_inputs_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    contents.stage(tmp_path, [Path("a")], tmp_path / "context")
    assert [path.name for path in (tmp_path / "context").iterdir()] == ["a"]


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="gone"):
        contents.files(tmp_path, ["gone"])


def test_pip_learns_the_machines_settings_for_the_time_of_a_build() -> None:
    text = buildah.pip_settings(
        {"PIP_INDEX_URL": "https://index.example", "PIP_CERT": "/x.crt", "HOME": "/root"}
    )
    assert "index-url = https://index.example" in text
    assert "cert = /etc/xdg/pip/ca-certificates.crt" in text
    assert "root" not in text


@pytest.mark.parametrize(
    "sources",
    [
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n",
        "# old\ndeb [signed-by=/k] http://mirror.example/debian trixie main\n",
    ],
)
def test_the_mirror_is_the_machines_own(sources: str) -> None:
    assert base.find_mirror(sources) == "http://mirror.example/debian"


def test_a_vendors_archive_is_no_mirror() -> None:
    assert base.find_mirror("deb https://vendor.example/apt stable main\n") is None
