"""The Grafana dashboard as data: rows of panels over the workers' metrics. `footfall dashboard` writes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "grafana" / "dashboards" / "footfall.json"
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDTH, _HEIGHT, _COLUMNS = 8, 7, 3


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph: queries with their legends, the unit in Grafana's words, and the lowest value shown (None: any)."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    low: int | None = 0


def _rate(metric: str, by: str, legend: str | None = None) -> tuple[str, str]:
    return f"sum by ({by}) (rate({metric}[1m]))", legend or f"{{{{{by}}}}}"


def _quantiles(metric: str, by: str = "") -> tuple[tuple[str, str], ...]:
    label = f"{{{{{by}}}}} " if by else ""
    groups = f"le, {by}" if by else "le"
    return tuple(
        (f"histogram_quantile({q}, sum by ({groups}) (rate({metric}_bucket[1m])))", f"{label}p{round(q * 100)}")
        for q in (0.5, 0.95, 0.99)
    )


# Of the predictions whose horizon is over, those whose outcome is known.
_LABELLED = (
    "sum by (target) (footfall_examples_total) / (sum by (target) (footfall_examples_total)"
    " + (sum by (target) (footfall_censored_total) or 0 * sum by (target) (footfall_examples_total)))"
)


def _bought(arm: str) -> str:
    """The share of an arm's decisions, their horizon over, in which she ordered, by kind."""
    return " / ".join(f'sum by (kind) (footfall_effect_{what}{{arm="{arm}"}})' for what in ("bought", "windows"))


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Does it keep up?",
        (
            Panel("Events", (_rate("footfall_events_total", "behaviour"),), "ops"),
            Panel("Lag", (("sum by (stage, topic) (footfall_lag_records)", "{{stage}} {{topic}}"),)),
            Panel("Event to alert", _quantiles("footfall_event_to_alert_seconds"), "s"),
            Panel("Event to score", _quantiles("footfall_event_to_score_seconds"), "s"),
            Panel("Run time", _quantiles("footfall_run_seconds", "stage"), "s"),
            Panel("Barrier time", _quantiles("footfall_flush_seconds", "stage"), "s"),
        ),
    ),
    (
        "Is anything lost or refused?",
        (
            Panel("Dead letters by reason", (_rate("footfall_events_rejected_total", "reason"),), "ops"),
            Panel(
                "Repeated, rerouted, late",
                (
                    ("sum(rate(footfall_events_repeated_total[1m]))", "repeated"),
                    ("sum(rate(footfall_events_rerouted_total[1m]))", "rerouted"),
                    ("sum(rate(footfall_events_late_total[1m]))", "late"),
                ),
                "ops",
            ),
            Panel("Collector answers", (_rate("footfall_collector_requests_total", "status"),), "reqps"),
            Panel("Workers ready", (("footfall_ready", "{{instance}}"),)),
            Panel("Profiles", (("sum(footfall_profiles)", "profiles"),)),
            Panel("Profile size", _quantiles("footfall_profile_bytes"), "bytes"),
        ),
    ),
    (
        "Who scores?",
        (
            Panel("Scores by source", (_rate("footfall_scores_total", "source"),), "ops"),
            Panel("Scores without BERT", (_rate("footfall_fallbacks_total", "reason"),), "ops"),
            Panel("Triton call", _quantiles("footfall_triton_seconds"), "s"),
            Panel("Batch", _quantiles("footfall_score_batch")),
            Panel("Breaker open", (("footfall_breaker_open", "{{instance}}"),)),
            Panel(
                "Models in use",
                (("footfall_model_info", "{{model}} {{version}}"), ("footfall_bert_info", "bert {{role}} {{version}}")),
            ),
        ),
    ),
    (
        "How good is it, and what does it say?",
        (
            Panel("ROC AUC, rolling", (('footfall_quality{metric="auc"}', "{{target}} {{source}}"),)),
            Panel("Log loss, rolling", (('footfall_quality{metric="log_loss"}', "{{target}} {{source}}"),)),
            Panel(
                "Examples matured", (_rate("footfall_examples_total", "target, label", "{{target}} {{label}}"),), "ops"
            ),
            Panel(
                "Alerts by kind, and held back by the day's budget",
                (
                    _rate("footfall_alerts_total", "kind, arm", "{{kind}} {{arm}}"),
                    _rate("footfall_alerts_held_back_total", "kind, reason", "{{kind}} held back: {{reason}}"),
                ),
                "ops",
            ),
            Panel(
                "What alerts change: ordered, alerted less held out",
                ((f"{_bought('treatment')} - {_bought('holdout')}", "{{kind}}"),),
                "percentunit",
                low=None,
            ),
            Panel("Recommendations", (("sum(rate(footfall_recommendations_total[1m]))", "recommendations"),), "ops"),
            Panel(
                "Drift, waiting",
                (
                    ("footfall_drift_detections", "drift {{target}}"),
                    ("sum(footfall_pending_predictions)", "waiting for their horizon"),
                ),
            ),
            Panel(
                "Recommender answers, by status",
                (
                    (
                        'sum by (status) (rate(footfall_recommender_requests_total{route=~"/v1/.*"}[1m]))',
                        "{{status}}",
                    ),
                ),
                "reqps",
            ),
            Panel("Recommender answer time", _quantiles("footfall_recommender_request_seconds", "route"), "s"),
            Panel("Recommended items by source", (_rate("footfall_recommender_items_total", "source"),), "ops"),
            Panel(
                "Items of the index, of one process",
                (('max by (what) (footfall_index_items{what=~"known|described|sold_out"})', "{{what}}"),),
            ),
            Panel("Lists shown, by what came of them", (("max by (outcome) (footfall_index_lists)", "{{outcome}}"),)),
            Panel("Share of predictions labelled", ((_LABELLED, "{{target}}"),), "percentunit"),
            Panel("Label delay, in event time", _quantiles("footfall_label_delay_seconds", "target"), "s"),
            Panel("Censored by reason", (_rate("footfall_censored_total", "target, reason", "{{target}} {{reason}}"),)),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana provisions it (schema version 39)."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        )
        for index, panel in enumerate(row):
            place = {
                "x": index % _COLUMNS * _WIDTH,
                "y": y + 1 + index // _COLUMNS * _HEIGHT,
                "w": _WIDTH,
                "h": _HEIGHT,
            }
            panels.append(_panel(len(panels) + 1, panel, place))
        y += 1 + -(-len(row) // _COLUMNS) * _HEIGHT
    return {
        "uid": "footfall",
        "title": "Footfall",
        "tags": ["footfall"],
        "schemaVersion": 39,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "panels": panels,
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "gridPos": place,
        "datasource": _SOURCE,
        "fieldConfig": {
            "defaults": {"unit": panel.unit} | ({} if panel.low is None else {"min": panel.low}),
            "overrides": [],
        },
        "targets": [
            {"refId": chr(65 + index), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }
