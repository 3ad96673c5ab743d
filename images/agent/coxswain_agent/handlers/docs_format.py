"""``docs.format``: Markdown files of the workspace, formatted in place and kept as artifacts."""

from pathlib import Path

import mdformat

from coxswain_agent.handlers import files

MOST_FILES = 60
MOST_BYTES = 1_048_576
MARKDOWN = "text/markdown"


def main() -> None:
    """Format what the input names, or every .md file; say what has changed."""
    root = Path.cwd()
    wanted = files.given().get("paths")
    paths = [_inside(root, each) for each in wanted] if wanted else _all(root)
    done = [_format(root, path, number) for number, path in enumerate(paths, 1)]
    files.give({"files": done})
    changed = sum(1 for each in done if each["changed"])
    print(f"{len(done)} files looked at, {changed} changed")


def _format(root: Path, path: Path, number: int) -> dict[str, object]:
    shown = str(path.relative_to(root))
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{shown} is larger than {MOST_BYTES} bytes")
        before = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{shown} cannot be read: {error}") from error
    after = mdformat.text(before)
    if after != before:
        path.write_text(after)
    # The number keeps a/b.md and a-b.md apart.
    name = f"{number}-{_plain(shown)}"
    files.keep(name, after.encode(), MARKDOWN)
    return {"path": shown, "changed": after != before, "artifact": name}


def _inside(root: Path, name: str) -> Path:
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()) or not path.is_file():
        raise SystemExit(f"paths: there is no file {name} in the workspace")
    return path


def _all(root: Path) -> list[Path]:
    found = sorted(each for each in root.rglob("*.md") if each.is_file() and not each.is_symlink())
    if not found:
        raise SystemExit("there is no .md file in the workspace; give the Job some in spec.files")
    if len(found) > MOST_FILES:
        raise SystemExit(f"{len(found)} .md files are more than {MOST_FILES}; name some in paths")
    return found


def _plain(shown: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in shown)
    return kept[-200:]


if __name__ == "__main__":
    main()
