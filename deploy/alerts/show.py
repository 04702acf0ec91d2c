"""Alerts on a terminal."""

import time

from rich.table import Table
from rich.text import Text

from schemas.outputs import Alert

COLOURS = {"high": "bold red", "medium": "yellow", "low": "cyan"}


def words(alert: Alert, language: str) -> str:
    """What an alert says, and why, in `en` or `zh`; what has no Chinese is said in English."""
    chinese = language == "zh"
    text = (alert.text_zh if chinese else "") or alert.text
    why = [(reason.words_zh if chinese else "") or reason.words for reason in alert.reasons[:3]]
    return f"{text}\n{'因为' if chinese else 'because'} {('；' if chinese else '; ').join(why)}"


def table(alerts: list[Alert], language: str, title: str) -> Table:
    """Alerts, oldest first: what, to whom, how sure, at stake, what to do, until when."""
    shown = Table(title=title, title_justify="left", expand=True, show_lines=True)
    for column in ("kind", "customer", "how sure", "at stake", "do", "until (UTC)"):
        shown.add_column(column, no_wrap=True)
    shown.add_column("why", ratio=1)
    for alert in alerts:
        shown.add_row(
            Text(alert.kind, style=COLOURS.get(alert.severity, "")),
            Text(alert.customer),
            f"{alert.probability:.0%}",
            f"{alert.value_at_stake:,.2f} {alert.currency}",
            f"{alert.action}\nby {alert.channel}",
            f"{_when(alert.expires_at)}\nsend {_when(alert.send_at)}",
            Text(words(alert, language)),
        )
    return shown


def _when(at: int) -> str:
    return time.strftime("%m-%d %H:%M", time.gmtime(at / 1000)) if at else "-"
