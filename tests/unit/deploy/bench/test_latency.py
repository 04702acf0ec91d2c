"""What `footfall bench latency` makes of what it hears; how its load keeps time."""

from datetime import datetime

import orjson
import pytest

from deploy.bench.latency import Heard, percentiles, summary
from deploy.bench.load import stamped

BEGIN, END = 100.0, 110.0


def test_percentiles_are_of_the_ordered_values_in_ms() -> None:
    assert percentiles([n / 1000 for n in range(100, 0, -1)]) == {"p50": 51.0, "p95": 96.0, "p99": 100.0, "max": 100.0}
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None, "max": None}


def test_only_events_of_the_measured_time_count() -> None:
    heard = Heard(scores=[(99.0, 5.0), (101.0, 0.2), (111.0, 0.1)], alerts=[(99.0, 9.0), (105.0, 0.5)])
    found = summary(heard, [(101.0, 10), (105.0, 12), (109.0, 11)], BEGIN, END)
    assert found["p99_ms"] == 500.0
    assert found["score"]["count"] == 1
    # Two scores came out within the ten seconds, whenever their events were sent.
    assert found["scores_per_s"] == 0.2
    assert found["kept_up"]


@pytest.mark.parametrize(("last", "bounded"), [(30, True), (5_000, False)])
def test_a_growing_queue_is_told(last: int, bounded: bool) -> None:
    found = summary(Heard(), [(BEGIN + n, n * last // 9) for n in range(10)], BEGIN, END)
    assert found["bounded"] is bounded
    assert found["kept_up"] is bounded


def test_a_queue_that_is_short_because_bert_was_left_out_has_not_kept_up() -> None:
    found = summary(Heard(fallbacks={"behind": 3}), [], BEGIN, END)
    assert found["bounded"]
    assert not found["kept_up"]


def test_an_event_carries_the_time_at_which_it_was_to_be_sent_and_an_id_of_its_own() -> None:
    event: dict[str, object] = {"messageId": "m", "timestamp": "2020-01-01T00:00:00Z", "event": "Product Viewed"}
    first, second = (orjson.loads(stamped(event, 1_700_000_000.25 + n, n)) for n in range(2))
    assert datetime.fromisoformat(first["timestamp"]).timestamp() == 1_700_000_000.25
    assert first["messageId"] != second["messageId"]
    assert event["messageId"] == "m"
