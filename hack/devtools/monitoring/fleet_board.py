"""The first look: is it well, what does it do, what does it use."""

from devtools.monitoring.objectives import OBJECTIVES
from devtools.monitoring.panels import RATE, Board, Panel, Query, Row, per_minute

_WS = ', workspace=~"$workspace"'
_FAILED = 'sum(increase(coxswain_jobs_ended_total{@, phase="Failed"}[1h]))'
_ENDED = 'sum(increase(coxswain_jobs_ended_total{@, phase=~"Succeeded|Failed"}[1h]))'


def _jobs(phase: str) -> Query:
    return Query(f'sum(coxswain_jobs{{@{_WS}, phase="{phase}"}})', sparse=True)


FLEET = Board(
    "fleet",
    "Fleet",
    "Whether the platform is well, what it does, and what it uses.",
    (
        Row(
            "Now",
            (
                Panel(
                    "Leaders",
                    "One, always.",
                    (Query("sum(coxswain_leader{@})"),),
                    kind="number",
                    width=4,
                ),
                Panel("Running", "Jobs with a pod.", (_jobs("Running"),), kind="number", width=4),
                Panel("Queued", "Jobs that wait.", (_jobs("Queued"),), kind="number", width=4),
                Panel(
                    "In review",
                    "Jobs that wait for a person.",
                    (_jobs("Review"),),
                    kind="number",
                    limits=(1,),
                    width=4,
                ),
                Panel(
                    "Failed, last hour",
                    "Of the Jobs that ended as Succeeded or Failed.",
                    (Query(f"{_FAILED} / ({_ENDED} > 0)", sparse=True),),
                    "percentunit",
                    "number",
                    (0.1, 0.5),
                    4,
                ),
                Panel(
                    "Dependencies that are down",
                    "Readiness checks that fail, over all processes.",
                    (Query("count(coxswain_dependency_up{@} < 1)", sparse=True),),
                    kind="number",
                    limits=(1, 3),
                    width=4,
                ),
            ),
        ),
        Row(
            "Objectives",
            tuple(
                Panel(
                    each.name.removesuffix("ErrorBudget"),
                    f"Share of the last hour that was bad; {each.budget:.2%} is what the objective leaves:"
                    f" {each.means}",
                    (Query(each.ratio("1h"), each.slo, sparse=True),),
                    "percentunit",
                    limits=(each.budget, 14.4 * each.budget),
                    width=6,
                )
                for each in OBJECTIVES
            ),
        ),
        Row(
            "Work",
            (
                Panel(
                    "Jobs by phase",
                    "Objects that are there, as the leader sees them.",
                    (Query(f"sum by (phase) (coxswain_jobs{{@{_WS}}})", "{{phase}}"),),
                    kind="stack",
                ),
                Panel(
                    "Jobs by workspace",
                    "The same by where they are.",
                    (Query(f"sum by (workspace) (coxswain_jobs{{@{_WS}}})", "{{workspace}}"),),
                    kind="stack",
                ),
                Panel(
                    "Jobs that ended, per minute",
                    "By phase.",
                    (Query(per_minute("coxswain_jobs_ended_total", "phase"), "{{phase}}"),),
                ),
            ),
        ),
        Row(
            "Processes",
            (
                Panel(
                    "Memory",
                    "Resident, by container.",
                    (Query("process_resident_memory_bytes{@}", "{{pod}} {{container}}"),),
                    "bytes",
                ),
                Panel(
                    "CPU",
                    "Cores in use, by container; one is the most that a process of ours can use.",
                    (
                        Query(
                            f"rate(process_cpu_seconds_total{{@}}{RATE})", "{{pod}} {{container}}"
                        ),
                    ),
                    limits=(0.7, 0.9),
                ),
                Panel(
                    "Versions",
                    "Processes by the version that they run.",
                    (Query("count by (version) (coxswain_build_info{@})", "{{version}}"),),
                    kind="stack",
                ),
            ),
        ),
    ),
)
