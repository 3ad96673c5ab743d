"""Draws dashboards for Grafana. The only file that knows how Grafana writes them down."""

import json
from itertools import count

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from devtools.monitoring.api_board import API
from devtools.monitoring.doors_board import DOORS
from devtools.monitoring.fleet_board import FLEET
from devtools.monitoring.jobs_board import JOBS
from devtools.monitoring.loop_board import LOOP
from devtools.monitoring.models_board import MODELS
from devtools.monitoring.panels import Board, Panel, Query
from devtools.monitoring.schedules_board import SCHEDULES

BOARDS = (FLEET, JOBS, SCHEDULES, MODELS, API, LOOP, DOORS)
TAG = "coxswain"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
SCOPE = '{namespace=~"$namespace"'
WORKSPACE = "$workspace"
HEIGHT = {"number": 4, "lines": 8, "stack": 8}
COLOURS = ("yellow", "red")


def files() -> dict[str, str]:
    """Each dashboard by the name of its file."""
    return {f"{board.slug}.json": _draw(board) for board in BOARDS}


def expression(query: Query) -> str:
    """What is sent to Prometheus, with Grafana's variables still in it."""
    return query.whole.replace("{@", SCOPE)


def _draw(board: Board) -> str:
    made = (
        dashboard.Dashboard(f"Coxswain / {board.title}")
        .uid(f"coxswain-{board.slug}")
        .description(board.means)
        .tags([TAG])
        .editable()
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Coxswain")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
        .with_variable(_labels("namespace", "Installation", "coxswain_build_info"))
    )
    if any(WORKSPACE in query.expr for panel in board.panels for query in panel.queries):
        made = made.with_variable(_labels("workspace", "Workspace", "coxswain_jobs"))
    places = count(1)
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title).id(next(places)))
        for panel in row.panels:
            drawn = _number(panel) if panel.kind == "number" else _lines(panel)
            made = made.with_panel(drawn.id(next(places)))
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def _labels(name: str, label: str, metric: str) -> dashboard.QueryVariable:
    """A choice among the values of a label; all of them by default, those that have none too."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(f"label_values({metric}, {name})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(True)
        .all_value(".*")
        .multi(True)
    )


def _lines(panel: Panel) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.means)
        .datasource(SOURCE)
        .unit(panel.unit)
        .min(0)
        .span(panel.width)
        .height(HEIGHT[panel.kind])
        .fill_opacity(30 if panel.kind == "stack" else 8)
        .show_points(looks.VisibilityMode.NEVER)
        .thresholds(_limits(panel))
        .legend(
            common.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.LIST)
            .placement(looks.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(looks.TooltipDisplayMode.MULTI)
            .sort(looks.SortOrder.DESCENDING)
        )
    )
    if panel.kind == "stack":
        made = made.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    if panel.limits:
        style = looks.GraphTresholdsStyleMode.DASHED
        made = made.thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
    for query in _targets(panel):
        made = made.with_target(query)
    return made


def _number(panel: Panel) -> stat.Panel:
    made = (
        stat.Panel()
        .title(panel.title)
        .description(panel.means)
        .datasource(SOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(HEIGHT[panel.kind])
        .thresholds(_limits(panel))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    for query in _targets(panel):
        made = made.with_target(query)
    return made


def _limits(panel: Panel) -> dashboard.ThresholdsConfig:
    colours = COLOURS[-len(panel.limits) :] if panel.limits else ()
    steps = [Threshold(value=None, color="green")]
    steps += [
        Threshold(value=at, color=each) for at, each in zip(panel.limits, colours, strict=True)
    ]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _targets(panel: Panel) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(expression(query))
        .legend_format(query.legend)
        .ref_id(chr(ord("A") + place))
        for place, query in enumerate(panel.queries)
    ]


def queries(text: str) -> list[tuple[str, str]]:
    """Title and expression of every query of a dashboard, read from its file."""
    panels = [panel for panel in json.loads(text)["panels"] if panel["type"] != "row"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]
