"""What a marketer reads, case by case."""

import pytest

from online.words import say


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("overdue", 2.41, "2.4 times the usual gap since the last order"),
        ("overdue", None, "no usual gap between orders yet"),
        ("orders_30d", 0.0, "no orders in the last 30 days"),
        ("orders_30d", 1.0, "1 order in the last 30 days"),
        ("orders_90d", 4.0, "4 orders in the last 13 weeks"),
        ("views_1h", 12.0, "12 products viewed in the last hour"),
        ("events_1h", 1.0, "1 behaviour of any kind in the last hour"),
        ("distinct_items", 1.0, "1 different product among the latest behaviours"),
        ("days_since_order", 34.2, "34 days since the last order"),
        ("days_since_order", 1.0, "1 day since the last order"),
        ("days_since_order", 0.125, "3 hours since the last order"),
        ("days_since_order", None, "no order yet"),
        ("gap_mean_days", 12.4, "mean days between orders: 12"),
        ("spend_30d", 1234.5, "1,234.50 spent in the last 30 days"),
        ("order_value_mean", 52.1, "average order value: 52.10"),
        ("refund_share", 0.352, "share of the money spent that was taken back: 35%"),
        ("hour", 14.0, "hour of the day, UTC: 14:00"),
        ("weekday", 6.0, "day of the week, Monday is 0, UTC: Sunday"),
        ("rating_last", 2.0, "last rating given: 2"),
        ("trend_events_7d", -0.69314, "behaviours of the last 7 days against the 7 before: 0.5 times as much"),
        ("mobile_share", None, "share of behaviours on a phone: not known"),
        ("not_registered", 3.0, "not_registered: 3"),
    ],
)
def test_say(name: str, value: float | None, words: str) -> None:
    assert say(name, value) == words
