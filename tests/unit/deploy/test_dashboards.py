"""The dashboard asks only for what is measured, and the file that Grafana gets is the one that is defined."""

import json
import re

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from deploy import dashboards
from stream import metrics
from stream.collector.metrics import Metrics
from stream.recommender.metrics import Metrics as Recommended

_NAMES = re.compile(r"\bfootfall_\w+")
_LABELS = re.compile(r"\bby \(([^)]*)\)|\{(\w+)=")


def measured(*registries: CollectorRegistry) -> dict[str, set[str]]:
    """Every name that a page of metrics can have, with the labels it carries."""
    found: dict[str, set[str]] = {}
    for registry in registries:
        for collector in registry._collector_to_names:
            labels = set(getattr(collector, "_labelnames", ()))
            for name in registry._collector_to_names[collector]:
                found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


MEASURED = measured(REGISTRY, Metrics().registry, Recommended().registry)
QUERIES = [
    pytest.param(query, id=f"{panel.title} {number}")
    for _, row in dashboards.ROWS
    for panel in row
    for number, (query, _) in enumerate(panel.queries)
]


def test_the_metrics_themselves_are_found() -> None:
    assert metrics.EVENTS._name == "footfall_events"
    assert {"footfall_events_total", "footfall_lag_records", "footfall_run_seconds_bucket"} <= MEASURED.keys()
    assert "footfall_collector_requests_total" in MEASURED


@pytest.mark.parametrize("query", QUERIES)
def test_every_metric_queried_is_measured_and_has_the_labels_asked_for(query: str) -> None:
    names = _NAMES.findall(query)
    assert names
    for name in names:
        assert name in MEASURED, f"{name} is measured nowhere"
        asked = {label.strip() for pair in _LABELS.findall(query) for part in pair for label in part.split(",")} - {""}
        assert asked <= MEASURED[name]


def test_the_committed_dashboard_is_the_one_defined() -> None:
    committed = json.loads(dashboards.FILE.read_text())
    assert committed == dashboards.dashboard(), "it differs: run `footfall dashboard` and commit the file"
