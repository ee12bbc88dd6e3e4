"""Writes the Grafana dashboard *settlement lag* to standard output, through Grafana's own models.

usage: settlement_lag.py > settlement-lag.json    (needs grafana-foundation-sdk, see .ci/requirements.txt)
"""

import itertools

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardRangeMapOptions,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    RangeMap,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
CHANNEL = 'channel=~"$channel"'
MONEY = 'channel=~"$channel",currency=~"$currency"'
# The quantiles of the service look so far back, so those beside them do too.
WINDOW = "5m"
QUANTILES = ["0.5", "0.95", "0.99"]
# The longest lag that the service tells apart, in seconds: the place of +Inf in a table.
LONGEST_S = 7 * 24 * 3600
TOO_MANY = "not known: too many wait"


def query(expr, legend):
    return prometheus.Dataquery().expr(expr).legend_format(legend).range()


def now(expr, ref_id=None):
    made = prometheus.Dataquery().expr(expr).instant().format(PromQueryFormat.TABLE)
    return made.ref_id(ref_id) if ref_id else made


def lettered(panel, queries):
    for at, made in enumerate(queries):
        panel.with_target(made.ref_id(chr(ord("A") + at)))
    return panel


def framed(panel, title, description, unit, width, height=8):
    return panel.title(title).description(description).unit(unit).span(width).height(height).datasource(SOURCE)


def lines(title, description, unit, width, queries, stacked=False):
    legend = common.VizLegendOptions().display_mode(looks.LegendDisplayMode.LIST)
    legend = legend.placement(looks.LegendPlacement.BOTTOM).show_legend(True)
    tooltip = common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI)
    panel = timeseries.Panel().legend(legend).tooltip(tooltip).min(0).line_width(2)
    panel.show_points(looks.VisibilityMode.NEVER).fill_opacity(30 if stacked else 0)
    if stacked:
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    return lettered(framed(panel, title, description, unit, width), queries)


def steps(*marks):
    """Thresholds: a colour, and from which value on."""
    marked = [Threshold(value=value, color=color) for color, value in marks]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(marked)


def figure(title, description, unit, width, queries, thresholds):
    panel = stat.Panel().thresholds(thresholds).text_mode(looks.BigValueTextMode.VALUE_AND_NAME)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return lettered(framed(panel, title, description, unit, width, 5), queries)


def unknown(text):
    """Says what +Inf means, which queries cut to the longest lag: a table or a figure cannot show it."""
    result = ValueMappingResult(text=text, color="red")
    return RangeMap(options=DashboardRangeMapOptions(from_val=LONGEST_S, to=None, result=result))


def table_of(title, description, columns):
    """A table of what is now: columns of a name, a query and a unit, merged by their labels."""
    panel = framed(table.Panel().show_header(True), title, description, "short", 24)
    for at, (name, expr, unit) in enumerate(columns):
        ref = chr(ord("A") + at)
        panel.with_target(now(expr, ref))
        properties = [DynamicConfigValue("displayName", name), DynamicConfigValue("unit", unit)]
        if name.startswith("p") and unit == "s":
            properties.append(DynamicConfigValue("mappings", [unknown(TOO_MANY)]))
        panel.override_by_name(f"Value #{ref}", properties)
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    hidden = DataTransformerConfig(id_val="organize", options={"excludeByName": {"Time": True}})
    return panel.with_transformation(hidden)


def channels_table():
    by = "by (channel)"
    columns = [
        ("waiting", f"sum {by} (settlewatch_pending_payments{{{CHANNEL}}})", "short"),
        ("overdue", f"sum {by} (settlewatch_overdue_payments{{{CHANNEL}}})", "short"),
        ("oldest", f"max {by} (settlewatch_oldest_pending_age_seconds{{{CHANNEL}}})", "s"),
    ]
    for quantile in QUANTILES:
        held = f'settlewatch_credit_lag_quantile_seconds{{{CHANNEL},quantile="{quantile}"}}'
        columns.append((f"p{quantile[2:].ljust(2, '0')}", f"max {by} (clamp_max({held}, {LONGEST_S}))", "s"))
    return table_of(
        "Channels now",
        "Each channel as it stands. Quantiles count the payments that still wait; where too many wait to know one, it "
        "is said so instead of a number.",
        columns,
    )


# What tells one open incident from another; a channel or a stream only where its scope names just one.
INCIDENT = "by (verdict, severity, channel, stream)"


def open_of(severity):
    # Zero only where a watch is active: without one nobody knows.
    held = f'sum(settlewatch_incidents_open{{severity="{severity}"}})'
    return query(f"{held} or max(settlewatch_watch_active == 1) * 0", severity)


def incident_figures():
    return [
        figure(
            "Open incidents",
            "Faults that last, by severity: critical and warning page, info is a ticket. Nothing is shown while no "
            "watch is active.",
            "short",
            7,
            [open_of(severity) for severity in ["critical", "warning", "info"]],
            steps(("green", None), ("red", 1)),
        ),
        figure(
            "Money missing in incidents",
            "Money that is missing now in the scopes of open incidents, in units of each currency. What two incidents "
            "share is counted in both.",
            "short",
            7,
            [query("sum by (currency) (settlewatch_incident_missing_amount)", "{{currency}}")],
            steps(("green", None), ("red", 50000)),
        ),
        figure(
            "Active watches",
            "Processes that say that they are the active watch: there is to be exactly one.",
            "short",
            3,
            [query("sum(settlewatch_watch_active)", "active")],
            steps(("red", None), ("green", 1), ("red", 2)),
        ),
        figure(
            "The watch is behind",
            "How far the last second that was judged lies behind the brokers' time.",
            "s",
            4,
            [query("max(settlewatch_watch_behind_seconds)", "behind")],
            steps(("green", None), ("orange", 10), ("red", 60)),
        ),
        figure(
            "Blind partitions",
            "Partition numbers that the watch does not know to the end of that second: nobody is accused of them.",
            "short",
            3,
            [query("max(settlewatch_watch_blind_partitions)", "blind")],
            steps(("green", None), ("red", 1)),
        ),
    ]


def incident_lines():
    onset = "sum by (le) (increase(settlewatch_incident_onset_seconds_bucket[1d]))"
    told = "sum by (le) (increase(settlewatch_incident_delay_seconds_bucket[1d]))"
    where = "{{verdict}} {{channel}}{{stream}}"
    return [
        lines(
            "Incidents",
            "Incidents that are open, by cause.",
            "short",
            8,
            [query(f"sum {INCIDENT} (settlewatch_incident_places)", f"{where} {{{{severity}}}}")],
            stacked=True,
        ),
        lines(
            "Payments missing, and expected to be",
            "Payments that are missing in open incidents, and of those that still wait there how many will miss their "
            "first deadline if credits go on as now.",
            "short",
            8,
            [
                query(f"sum {INCIDENT} (settlewatch_incident_missing_payments)", f"{where} missing"),
                query(f"sum {INCIDENT} (settlewatch_incident_expected_payments)", f"{where} expected"),
            ],
        ),
        lines(
            "Money missing, and expected to be",
            "The money of both, in units of each currency.",
            "short",
            8,
            [
                query(f"sum by (channel, currency) (settlewatch_incident_{what}_amount)", f"{{{{channel}}}} {{{{currency}}}} {what}")
                for what in ["missing", "expected"]
            ],
        ),
        lines(
            "From onset to opening",
            "From the estimated onset of a fault until its incident was opened, over the last day.",
            "s",
            8,
            [query(f"histogram_quantile({quantile}, {onset})", quantile) for quantile in ["0.5", "0.95"]],
        ),
        lines(
            "From judging to the topic",
            "From the end of the second that a revision is dated at until it could be read, over the last day; and how far "
            "the watch is behind.",
            "s",
            8,
            [query(f"histogram_quantile({quantile}, {told})", quantile) for quantile in ["0.5", "0.95"]]
            + [query("max(settlewatch_watch_behind_seconds)", "behind")],
        ),
        lines(
            "What the watch hears",
            "Bytes a second that are written for it.",
            "Bps",
            8,
            [query("sum(rate(settlewatch_pulse_bytes_total[$__rate_interval]))", "pulse")],
        ),
    ]


def incidents():
    columns = [
        ("incidents", f"sum {INCIDENT} (settlewatch_incident_places)", "short"),
        ("missing", f"sum {INCIDENT} (settlewatch_incident_missing_payments)", "short"),
        ("expected", f"sum {INCIDENT} (settlewatch_incident_expected_payments)", "short"),
    ]
    listed = table_of(
        "Open incidents now",
        "What is open, with the payments that are missing and those that are expected to be. `settlewatch incidents "
        "show ID` tells everything of one. An empty table is good.",
        columns,
    )
    return [*incident_figures(), listed, *incident_lines()]


def overview():
    return [
        figure(
            "Overdue payments",
            "Payments that wait beyond their first deadline.",
            "short",
            6,
            [query(f"sum(settlewatch_overdue_payments{{{CHANNEL}}})", "overdue")],
            steps(("green", None), ("orange", 1), ("red", 10)),
        ),
        figure(
            "Money at risk",
            "Money past its first deadline, in units of each currency. Currencies are never added to one another.",
            "short",
            6,
            [query(f"sum by (currency) (settlewatch_overdue_amount{{{MONEY}}})", "{{currency}}")],
            steps(("green", None), ("red", 50000)),
        ),
        figure(
            "Waiting payments",
            "Payments that wait for their credit, in time or not.",
            "short",
            6,
            [query(f"sum(settlewatch_pending_payments{{{CHANNEL}}})", "waiting")],
            steps(("blue", None)),
        ),
        figure(
            "Blind for",
            "How far behind real time the least known partition of each stream is. No deadline behind that passes.",
            "s",
            6,
            [query(f"max by (stream) (clamp_max(settlewatch_blind_seconds, {LONGEST_S}))", "{{stream}}")],
            steps(("green", None), ("orange", 5), ("red", 60)),
        ).mappings([unknown("nothing known yet")]),
        channels_table(),
    ]


def heat():
    rate = f"sum by (le) (increase(settlewatch_credit_lag_seconds_bucket{{{CHANNEL}}}[$__rate_interval]))"
    panel = framed(
        heatmap.Panel(),
        "$channel: how long credits took",
        "Credits by lag, from the append time of the payment to that of its credit. Every deadline of the rules is an "
        "edge of a bucket, so a row above a deadline is late. What was never credited is not here: see waiting and "
        "overdue.",
        "short",
        12,
        10,
    )
    panel.y_axis(heatmap.YAxisConfig().unit("s").axis_placement(looks.AxisPlacement.LEFT))
    panel.color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64).exponent(0.5))
    panel.filter_values(heatmap.FilterValueRange().le(1e-9)).cell_values(heatmap.CellValues().unit("short"))
    made = query(rate, "{{le}}").format(PromQueryFormat.HEATMAP)
    panel.scale_distribution(common.ScaleDistributionConfig().type(looks.ScaleDistribution.LINEAR))
    return lettered(panel.show_tooltip().show_legend(), [made])


def counted(quantile):
    return f'max by (channel) (settlewatch_credit_lag_quantile_seconds{{{CHANNEL},quantile="{quantile}"}})'


def naive(quantile):
    by = f"sum by (channel, le) (rate(settlewatch_credit_lag_seconds_bucket{{{CHANNEL}}}[{WINDOW}]))"
    return f"histogram_quantile({quantile}, {by})"


def quantiles():
    queries = []
    for quantile in QUANTILES:
        # A line cannot show +Inf: it breaks there, and the panel below says why.
        queries.append(query(f"{counted(quantile)} < +Inf", f"{quantile} counting who waits"))
        queries.append(query(naive(quantile), f"{quantile} naive"))
    return lines(
        "$channel: quantiles of the lag",
        "Beside each other: quantiles that count the payments that still wait, and naive ones over finished payments "
        "alone, both over five minutes. While a channel stands still the naive ones stay low, because nothing finishes. "
        "A counting line that breaks is a quantile that cannot be known yet.",
        "s",
        12,
        queries,
    ).height(10)


def known():
    mapping = ValueMap(
        options={
            "0": ValueMappingResult(text="known", color="green", index=0),
            "1": ValueMappingResult(text=TOO_MANY, color="red", index=1),
        }
    )
    panel = statetimeline.Panel().mappings([mapping]).show_value(looks.VisibilityMode.AUTO)
    panel.line_width(0).fill_opacity(70)
    queries = [query(f"{counted(quantile)} == bool +Inf", quantile) for quantile in QUANTILES]
    return lettered(
        framed(
            panel,
            "$channel: can the quantile be known?",
            "Not while more payments wait than the quantile leaves out: the service says +Inf then, which is worse than "
            "any number.",
            "short",
            24,
            5,
        ),
        queries,
    )


def of_channel():
    waiting = f"sum by (channel) (settlewatch_pending_payments{{{CHANNEL}}})"
    overdue = f"sum by (channel) (settlewatch_overdue_payments{{{CHANNEL}}})"
    pending = f"sum by (currency) (settlewatch_pending_amount{{{MONEY}}})"
    at_risk = f"sum by (currency) (settlewatch_overdue_amount{{{MONEY}}})"
    raised = f"sum by (kind, tier) (increase(settlewatch_alerts_total{{{CHANNEL}}}[$__rate_interval]))"
    return [
        heat(),
        quantiles(),
        known(),
        lines(
            "$channel: waiting and overdue",
            "Payments that wait for their credit, and of them those beyond their first deadline.",
            "short",
            8,
            [query(waiting, "waiting"), query(overdue, "overdue")],
        ),
        lines(
            "$channel: money waiting and at risk",
            "In units of each currency: of all that waits, and of what is past its first deadline.",
            "short",
            8,
            [query(pending, "{{currency}} waiting"), query(at_risk, "{{currency}} at risk")],
        ),
        lines(
            "$channel: alerts by kind and tier",
            "Alerts that were raised or passed another tier. The very first of a kind and tier is seen from the second "
            "scrape on.",
            "short",
            8,
            [query(raised, "{{kind}} {{tier}}")],
            stacked=True,
        ),
    ]


def payments_flow():
    rate = "[$__rate_interval]"
    return [
        lines(
            "Payments and credits",
            "Payments that were accepted, and how they were closed.",
            "cps",
            12,
            [
                query(f"sum(rate(settlewatch_payments_total{{{CHANNEL}}}{rate}))", "accepted"),
                query(f"sum by (outcome) (rate(settlewatch_payments_closed_total{{{CHANNEL}}}{rate}))", "{{outcome}}"),
            ],
        ),
        lines(
            "Oldest waiting payment",
            "How long the oldest waiting payment of each channel has waited.",
            "s",
            12,
            [query(f"max by (channel) (settlewatch_oldest_pending_age_seconds{{{CHANNEL}}})", "{{channel}}")],
        ),
    ]


def detection():
    delay = f"sum by (le) (rate(settlewatch_detection_delay_seconds_bucket[{WINDOW}]))"
    return [
        lines(
            "Detection delay",
            "From the moment that an alert was due until it was in the alerts topic.",
            "s",
            12,
            [query(f"histogram_quantile({quantile}, {delay})", quantile) for quantile in QUANTILES],
        ),
        lines(
            "Blindness",
            "How far behind real time our knowledge of each stream is. It grows while brokers do not answer, or while a "
            "transaction is open; no deadline behind it passes.",
            "s",
            12,
            [query("max by (stream) (settlewatch_blind_seconds) < +Inf", "{{stream}}")],
        ),
    ]


def health():
    rate = "[$__rate_interval]"
    # A stream without a rejected record has no such series: it has none rejected.
    rejected = f"sum by (stream) (rate(settlewatch_events_rejected_total{rate}))"
    consumed = f"sum by (stream) (rate(settlewatch_events_consumed_total{rate}))"
    took = f"sum by (le) (rate(settlewatch_transaction_duration_seconds_bucket[{WINDOW}]))"
    return [
        lines("Records read", "Records that were applied or rejected.", "cps", 8, [query(consumed, "{{stream}}")]),
        lines(
            "Records rejected",
            "Records that are no valid events.",
            "cps",
            8,
            [query(f"{rejected} or {consumed} * 0", "{{stream}}")],
        ),
        lines("Lanes", "Lanes by what they are doing.", "short", 8, [query("sum by (state) (settlewatch_lanes)", "{{state}}")]),
        lines(
            "Transactions",
            "Transactions by how they ended.",
            "cps",
            8,
            [query(f"sum by (outcome) (rate(settlewatch_transactions_total{rate}))", "{{outcome}}")],
        ),
        lines(
            "Transactions take",
            "From the beginning of a transaction to the answer of the broker.",
            "s",
            8,
            [query(f"histogram_quantile({quantile}, {took})", quantile) for quantile in ["0.5", "0.99"]],
        ),
        lines(
            "Partitions",
            "Partition numbers that have an owner, and the share of them whose state is restored.",
            "short",
            8,
            [
                query("sum(settlewatch_assigned_partitions)", "assigned"),
                query("min(settlewatch_restore_ratio)", "restored"),
            ],
        ),
        lines(
            "Memory",
            "Resident memory of each process, and what its lanes remember.",
            "bytes",
            8,
            [
                query("settlewatch_process_resident_memory_bytes", "{{instance}} resident"),
                query("sum by (kind) (settlewatch_state_bytes)", "{{kind}}"),
            ],
        ),
        lines(
            "Processor",
            "Processors that each process keeps busy.",
            "short",
            8,
            [query(f"rate(settlewatch_process_cpu_seconds_total{rate})", "{{instance}}")],
        ),
        lines(
            "What should not happen",
            "Limits that were met, errors of the client, holes in the input, records that the watch cannot read, processes "
            "with old rules.",
            "short",
            8,
            [
                query(f"sum(increase(settlewatch_limit_hits_total{rate})) or vector(0)", "limits met"),
                query(f"sum(increase(settlewatch_client_errors_total{rate})) or vector(0)", "client errors"),
                query(f"sum(increase(settlewatch_input_holes_total{rate})) or vector(0)", "holes"),
                query(f"sum(increase(settlewatch_watch_unreadable_total{rate})) or vector(0)", "not read by the watch"),
                query("max(settlewatch_config_stale)", "old rules"),
            ],
        ),
    ]


def variable(name, label, metric):
    made = QueryVariable(name).label(label).datasource(SOURCE).query(f"label_values({metric}, {name})")
    made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return made.multi(True).include_all(True).current(VariableOption(text=["All"], value=["$__all"], selected=True))


def dashboard():
    made = Dashboard("settlement lag").uid("settlewatch-settlement-lag").tags(["settlewatch"]).readonly()
    made.description("Payments that succeeded and wait for their credit: how long, how many, how much money.")
    made.time("now-1h", "now").refresh("10s").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)
    made.with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    made.with_variable(variable("channel", "Channel", "settlewatch_payments_total"))
    made.with_variable(variable("currency", "Currency", "settlewatch_pending_amount"))
    rows = [
        (Row("Incidents"), incidents()),
        (Row("All channels"), overview() + payments_flow()),
        (Row("$channel").repeat("channel"), of_channel()),
        (Row("Detection"), detection()),
        (Row("Our own health"), health()),
    ]
    ids = itertools.count(1)
    for row, panels in rows:
        made.with_row(row.id(next(ids)))
        for panel in panels:
            made.with_panel(panel.id(next(ids)))
    return made.build()


if __name__ == "__main__":
    print(JSONEncoder(sort_keys=True, indent=2).encode(dashboard()))
