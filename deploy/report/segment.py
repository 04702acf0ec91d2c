"""Which kind of customer: by recency, frequency and money, each rule said in the words that the report shows."""

from typing import NamedTuple

from online.policies.base import Vip
from schemas.outputs import Features

LAPSED_DAYS = 60.0
LAPSED_TIMES = 3.0
REGULAR_ORDERS = 3.0
NEW_DAYS = 30.0


class Segment(NamedTuple):
    """A segment's name, and the rule by which this customer is in it."""

    name: str
    rule: str


def segment(features: Features, vip: Vip | None = None) -> Segment:
    """The first rule that holds; `vip` is the rule of alerts.

    >>> segment({"orders_total": 1.0, "days_since_order": 2.0, "tenure_days": 3.0}).name
    'New'
    """
    vip = vip or Vip()
    orders, spend = features.get("orders_total") or 0.0, features.get("spend_total") or 0.0
    since, overdue = features.get("days_since_order"), features.get("overdue")
    tenure = features.get("tenure_days") or 0.0
    best = orders >= vip.orders and spend >= vip.spend
    if since is None or not orders:
        if tenure < NEW_DAYS:
            return Segment("Visitor", "no order that stands, first seen less than 30 days ago")
        return Segment("Window shopper", "no order that stands, first seen at least 30 days ago")
    if since >= LAPSED_DAYS or (overdue is not None and overdue >= LAPSED_TIMES and since >= NEW_DAYS):
        name = "Lapsed VIP" if best else "Lapsed"
        return Segment(name, "last order 60 days ago or more, or 30 and three times her usual gap")
    if best:
        return Segment("VIP", f"at least {vip.orders:.0f} orders and {vip.spend:,.0f} spent ever")
    if orders >= REGULAR_ORDERS:
        return Segment("Regular", "at least three orders, the last one recent")
    if tenure < NEW_DAYS:
        return Segment("New", "fewer than three orders, first seen less than 30 days ago")
    return Segment("Occasional", "fewer than three orders, first seen at least 30 days ago")
