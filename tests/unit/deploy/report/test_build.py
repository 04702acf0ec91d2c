"""The report as data: orders and what is left of them, what came of alerts, whose records they are."""

import msgspec
import pytest

from deploy.report.build import build
from deploy.report.report import Report
from deploy.report.segment import segment
from schemas.topics import DAY_MS
from stream.features.ids import Device, Identity
from stream.settings import Settings
from tests.unit.deploy.report.customers import T0, found


def test_a_customer_in_figures() -> None:
    report = build(Settings(), found())
    assert (report.customer, report.segment, report.as_of) == ("ann", "Occasional", T0 + 40 * DAY_MS)
    # The order that only the interactions still tell of is there, and the refund is told by both and taken back once.
    assert [(week.orders, week.spend) for week in report.weeks if week.orders] == [(1, 10.0), (1, 20.0), (1, 25.0)]
    assert [point.churn for point in report.scores] == [0.2, pytest.approx(0.3), pytest.approx(0.4)]
    assert sum(map(sum, report.rhythm)) == 8
    assert [(one.target, one.label, one.amount) for one in report.judged] == [
        ("churn", False, None),
        ("value", True, 25.0),
    ]
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_an_alert_is_told_once_with_what_came_of_it() -> None:
    (alert,) = build(Settings(), found()).alerts
    assert (alert.outcomes, alert.after.orders, alert.after.spend, alert.after.first_days) == (["fine"], 1, 25.0, 5.0)


def test_the_timeline_is_newest_first_and_says_nothing_twice() -> None:
    lines = build(Settings(), found()).timeline
    assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
    assert [line.kind for line in lines].count("order") == 3
    assert [line.what for line in lines][:2] == ["reviewed fine", "was refunded"]


def test_a_devices_records_are_hers_up_to_the_sign_in() -> None:
    hers = found()
    hers.profile.ids = Identity(devices={"phone": Device(linked=T0 + 6 * DAY_MS, taken=3)})
    hers.devices = ["phone"]
    hers.records["scores"] = [raw.replace(b'"customer":"ann"', b'"customer":"phone"') for raw in hers.records["scores"]]
    hers.records["examples"] = [raw.replace(b'"ann"', b'"someone"') for raw in hers.records["examples"]]
    report = build(Settings(), hers)
    assert [(point.at - T0) // DAY_MS for point in report.scores] == [0, 5]
    assert report.judged == []
    assert any(line.kind == "login" for line in report.timeline)


def test_what_cannot_be_read_is_left_out() -> None:
    hers = found()
    hers.records["scores"] += [b"{", b"\xff", b'{"id": 3}']
    assert len(build(Settings(), hers).scores) == 3


@pytest.mark.parametrize(
    ("orders", "spend", "since", "overdue", "tenure", "name"),
    [
        (0, 0, None, None, 5, "Visitor"),
        (0, 0, None, None, 50, "Window shopper"),
        (1, 20, 2, None, 5, "New"),
        (2, 20, 2, 0.5, 50, "Occasional"),
        (3, 20, 2, 0.5, 50, "Regular"),
        (8, 900, 2, 0.5, 50, "VIP"),
        (8, 900, 61, 2.0, 90, "Lapsed VIP"),
        (3, 20, 31, 3.5, 90, "Lapsed"),
        (3, 20, 31, 2.5, 90, "Regular"),
    ],
)
def test_segments(
    orders: float, spend: float, since: float | None, overdue: float | None, tenure: float, name: str
) -> None:
    features = {
        "orders_total": orders, "spend_total": spend, "days_since_order": since, "overdue": overdue,
        "tenure_days": tenure,
    }  # fmt: skip
    assert segment(features).name == name
