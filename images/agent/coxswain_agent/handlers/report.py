"""``report.generate``: the numbers of the run's own workspace, as a page and as output."""

from typing import Any

from coxswain_agent.handlers import files

HOURS = 24
NAME = "report.md"


def main() -> None:
    """Ask for the numbers, write the page, hand the numbers on."""
    hours = files.given().get("hours", HOURS)
    numbers = files.ask(f"report?hours={hours}")
    page = write(numbers)
    files.keep(NAME, page.encode(), "text/markdown")
    files.give(numbers)
    print(page)


def write(numbers: dict[str, Any]) -> str:
    """The page."""
    lines = [
        f"# Workspace {numbers['workspace']}",
        "",
        f"From {numbers['since']} to {numbers['until']}.",
    ]
    for title, key in (("Jobs by phase", "jobs"), ("Attempts by end", "attempts")):
        lines += ["", f"## {title}", "", *_listed(numbers[key])]
    lines += ["", "## Attempts by Agent", "", *_listed(numbers["agents"])]
    lines += ["", "## Model calls", "", *_models(numbers["models"])]
    return "\n".join(lines) + "\n"


def _listed(counts: dict[str, int]) -> list[str]:
    return [f"- {name}: {count}" for name, count in sorted(counts.items())] or ["None."]


def _models(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["None."]
    head = ["| Model | Calls | Failed | Tokens in | Tokens out |", "|---|---|---|---|---|"]
    keys = ("model", "calls", "failed", "inputTokens", "outputTokens")
    return head + ["| " + " | ".join(str(row[key]) for key in keys) + " |" for row in rows]


if __name__ == "__main__":
    main()
