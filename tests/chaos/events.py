"""The days of a simulated shop as its producers send them: repeated, reported twice, taken back, late, and broken."""

import json
import random
from collections.abc import Iterator
from itertools import accumulate, count

from deploy.parity.simulated import START, disturbed
from deploy.simulate.broken import inject
from deploy.simulate.storefront import Storefront
from schemas.topics import DAY_MS
from stream.sources.event import SourceEvent

DAYS = 60
BROKEN = 0.005
# Late by minutes instead of hours.
_SOONER = 36


def shop_days(seed: int, customers: int) -> list[SourceEvent]:
    """The events in order of arrival; always the same for a seed."""
    rng = random.Random(f"{seed}-events")
    shop = Storefront(seed, customers=customers, days=DAYS, live_every_s=600)
    number = count()
    arrivals: list[tuple[int, int, SourceEvent]] = []
    for event, reason in inject(shop.events(START, START + DAYS * DAY_MS), BROKEN, rng):
        copies = disturbed(of_one(event), rng) if reason is None else [(0, event)]
        arrivals += [(sent.at + delay // _SOONER, next(number), sent) for delay, sent in copies]
    return [event for _, _, event in sorted(arrivals, key=lambda arrival: arrival[:2])]


def of_one(event: SourceEvent) -> SourceEvent:
    """The event with one id: when a login moves behaviour depends on how far each partition is, in any run.

    That it moves once in spite of crashes is for `tests/integration/test_identity.py` and its laws to show.
    """
    said = json.loads(event.value)
    if "userId" in said:
        said.pop("anonymousId", None)
    return event._replace(value=json.dumps(said, separators=(",", ":")).encode())


def bursts(events: list[SourceEvent], least: int) -> Iterator[list[SourceEvent]]:
    """The events cut, where nothing is on its way, into pieces of at least `least`.

    What comes late on one topic belongs before what another topic has said already, and a stage that reads live waits
    only so long for it. So it comes within the same piece, and a piece is sent at once.
    """
    earliest = list(accumulate((event.at for event in reversed(events)), min))[::-1]
    piece: list[SourceEvent] = []
    newest = 0
    for event, next_earliest in zip(events, [*earliest[1:], 1 << 62], strict=True):
        piece.append(event)
        newest = max(newest, event.at)
        if len(piece) >= least and newest < next_earliest:
            yield piece
            piece = []
    if piece:
        yield piece
