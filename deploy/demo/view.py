"""The live view in the terminal: what flows, what was said and why, how good the models are."""

import time

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.demo.watch import Watch
from deploy.simulate.pace import Driver
from schemas.outputs import Alert, Recommendation
from schemas.topics import ALERTS, DEAD_LETTERS, EXAMPLES, FEATURES, RECOMMENDATIONS, SCORES

_COLOURS = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_SHOWN = 5


class View:
    """Renders a watch and a driver; keeps only what it needs to show rates."""

    def __init__(self, watch: Watch, driver: Driver) -> None:
        self._watch = watch
        self._driver = driver
        self._last: tuple[float, int, int] = (time.monotonic(), 0, 0)
        self._rates = (0.0, 0.0)

    def __rich__(self) -> RenderableType:
        return Group(self._flow(), self._alerts(), self._recommendations(), self._quality())

    def _measure(self) -> tuple[float, float]:
        then, sent, scored = self._last
        now, events, scores = time.monotonic(), self._driver.sent, self._watch.counts[SCORES.name]
        if now - then >= 1:
            self._rates = ((events - sent) / (now - then), (scores - scored) / (now - then))
            self._last = (now, events, scores)
        return self._rates

    def _flow(self) -> Panel:
        watch, driver = self._watch, self._driver
        events_per_s, scores_per_s = self._measure()
        moment = time.strftime("%Y-%m-%d %H:%M", time.gmtime(driver.at / 1000))
        table = Table.grid(padding=(0, 3))
        table.add_row("events", f"{driver.sent:,}", f"{events_per_s:,.0f}/s")
        table.add_row("snapshots", f"{watch.counts[FEATURES.name]:,}")
        table.add_row(
            "scores",
            f"{watch.counts[SCORES.name]:,}",
            f"{scores_per_s:,.0f}/s",
            f"BERT {watch.sources['ensemble']:,} · without {watch.sources['online']:,}",
        )
        table.add_row("examples", f"{watch.counts[EXAMPLES.name]:,}", "", "predictions whose horizon has passed")
        kinds = " · ".join(f"{kind} {count}" for kind, count in watch.kinds.most_common())
        table.add_row("alerts", f"{watch.counts[ALERTS.name]:,}", "", kinds)
        table.add_row("recommendations", f"{watch.counts[RECOMMENDATIONS.name]:,}")
        table.add_row("dead letters", f"{watch.counts[DEAD_LETTERS.name]:,}")
        state = "[green]live[/]" if driver.live else "[yellow]history, fast[/]"
        return Panel(table, title=f"Footfall · shop time {moment} UTC · {state}")

    def _alerts(self) -> Panel:
        newest = list(self._watch.alerts)[-_SHOWN:]
        return Panel(Group(*map(alert_lines, reversed(newest))) if newest else "none yet", title="alerts, newest first")

    def _recommendations(self) -> Panel:
        newest = list(self._watch.recommendations)[-3:]
        lines = Group(*map(recommendation_line, reversed(newest))) if newest else "none yet"
        return Panel(lines, title="recommendations")

    def _quality(self) -> Panel:
        model = self._watch.model
        if model is None:
            return Panel("nothing learned yet", title="online model")
        table = Table("target", "examples", "AUC served", "BERT", "online", "recency", "weight of BERT", box=None)
        for target in ("churn", "intent"):
            aucs = [model.metrics.get(f"{target}.{source}.auc") for source in ("served", "bert", "online", "recency")]
            shown = ["-" if auc is None else f"{auc:.3f}" for auc in aucs]
            learned = f"{model.metrics.get(f'{target}.learned', 0):,.0f}"
            table.add_row(target, learned, *shown, f"{model.metrics.get(f'{target}.bert_weight', 1):.2f}")
        return Panel(table, title=f"online model {model.version}, rolling quality of what was served")


def alert_lines(alert: Alert) -> Text:
    """An alert in two lines: what and what to do; why."""
    text = Text(f"{alert.kind} {alert.customer} ", style=_COLOURS.get(alert.severity, ""))
    text.append(f"{alert.probability:.0%} · {alert.text} → {alert.action} by {alert.channel}\n", style="default")
    text.append("    because " + "; ".join(reason.words for reason in alert.reasons[:3]), style="dim")
    return text


def recommendation_line(recommendation: Recommendation) -> Text:
    """A recommendation in one line: for whom, which items and why the first."""
    items = ", ".join(ranked.item for ranked in recommendation.items[:4])
    return Text(f"{recommendation.customer}: {items}", overflow="ellipsis", no_wrap=True).append(
        f"  ({recommendation.items[0].words})", style="dim"
    )
