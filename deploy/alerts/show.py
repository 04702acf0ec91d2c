"""Alerts on a terminal."""

import time
from typing import Any

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


def effects(found: dict[str, dict[str, Any]]) -> Table:
    """Each kind's effect: who ordered within the horizon, of those alerted and of the held out."""
    shown = Table("kind", "alerted", "ordered", "held out", "ordered", "difference (95 %)", title="what alerts change")
    for kind, of in found.items():
        sure = of["uplift"] is not None
        shown.add_row(
            kind,
            f"{of['treated']:,}",
            _share(of["treated_share"]),
            f"{of['holdout']:,}",
            _share(of["holdout_share"]),
            f"{of['uplift']:+.1%} ({of['low']:+.1%} to {of['high']:+.1%})" if sure else "too few to tell",
        )
    return shown


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _when(at: int) -> str:
    return time.strftime("%m-%d %H:%M", time.gmtime(at / 1000)) if at else "-"
