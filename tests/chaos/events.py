"""The days of a simulated shop as its producers send them: repeated, reported twice, taken back, late, and broken."""

import random
from itertools import count

from deploy.parity.simulated import START, disturbed
from deploy.simulate.broken import inject
from deploy.simulate.storefront import Storefront
from schemas.topics import DAY_MS
from stream.sources.event import SourceEvent

DAYS = 60
BROKEN = 0.005


def shop_days(seed: int, customers: int) -> list[SourceEvent]:
    """The events in order of arrival; always the same for a seed."""
    rng = random.Random(f"{seed}-events")
    shop = Storefront(seed, customers=customers, days=DAYS, live_every_s=600)
    number = count()
    arrivals: list[tuple[int, int, SourceEvent]] = []
    for event, reason in inject(shop.events(START, START + DAYS * DAY_MS), BROKEN, rng):
        copies = disturbed(event, rng) if reason is None else [(0, event)]
        arrivals += [(sent.at + delay, next(number), sent) for delay, sent in copies]
    return [event for _, _, event in sorted(arrivals, key=lambda arrival: arrival[:2])]
