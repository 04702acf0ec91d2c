"""The report on a terminal: the same, shorter."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.report.plots import moment
from deploy.report.report import Report

_LINES, _SHOWN = 15, 5
_BARS = " ▁▂▃▄▅▆▇█"


def show(report: Report, console: Console) -> None:
    """Print it."""
    console.print(f"[bold]{escape(report.customer)}[/bold]  [reverse] {report.segment} [/reverse]")
    console.print(f"{report.segment_rule}; first seen {moment(report.first)}, last seen {moment(report.last)} (UTC)")
    if report.asked != report.customer:
        console.print(f"asked for as {escape(report.asked)}, a device of hers")
    if report.devices:
        console.print(f"devices: {escape(', '.join(report.devices))}")
    if report.holdout:
        console.print("held out: gets no alerts that are meant to sell")
    _scores(report, console)
    if report.weeks:
        top = max(week.spend for week in report.weeks) or 1.0
        bars = "".join(_BARS[round(max(0.0, week.spend) / top * 8)] for week in report.weeks)
        console.print(f"\n[bold]Spend by week[/bold] (most: {top:,.2f} {report.currency})\n{bars}")
    for theme, told in report.features.items():
        words = [one.words for one in told if one.value is not None]
        if words and theme != "Everything else":
            console.print(f"\n[bold]{theme}[/bold]\n" + escape("; ".join(words)))
    _alerts(report, console)
    if report.recommended:
        console.print("\n[bold]Recommended[/bold]")
        for item in report.recommended[:_SHOWN]:
            console.print(escape(f"{item.item}: {item.words}"))
    console.print("\n[bold]Timeline[/bold]")
    table = Table(box=None, show_header=False, pad_edge=False)
    for line in report.timeline[:_LINES]:
        table.add_row(moment(line.at), escape(line.what), escape(line.detail))
    console.print(table)


def _scores(report: Report, console: Console) -> None:
    if not report.scores:
        return
    newest = report.scores[-1]
    console.print(f"\n[bold]Churn {newest.churn:.0%}, intent {newest.intent:.0%}[/bold], {moment(newest.at)}")
    for target in ("churn", "intent"):
        recent = report.scores[-60:]
        console.print(f"{target:7}" + "".join(_BARS[round(getattr(point, target) * 8)] for point in recent))
    for why in newest.reasons:
        console.print(escape(f"{why.target}: " + "; ".join(why.words)))


def _alerts(report: Report, console: Console) -> None:
    if report.alerts:
        console.print("\n[bold]Alerts[/bold]")
    for alert in report.alerts[-_SHOWN:]:
        came = (
            f"{alert.after.orders} orders worth {alert.after.spend:,.2f} since"
            if alert.after.orders
            else "no order since"
        )
        said = "; ".join([*alert.outcomes, came])
        console.print(escape(f"{moment(alert.at)}  {alert.kind} ({alert.severity}): {alert.text} → {said}"))
