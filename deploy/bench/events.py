"""The event set: a seeded rush hour of a large shop, in Segment's JSON, most of it by a few customers.

Everybody has one id, her userId or her anonymousId: only this engine stitches the two, and it is not compared in that.
"""

import heapq
import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate, count

import orjson

from deploy.simulate import visits
from deploy.simulate.catalogue import Catalogue
from deploy.simulate.customer import Customer, make
from deploy.simulate.session import Session, SimEvent
from deploy.simulate.words import CAMPAIGNS

SEED = 7
CUSTOMERS = 16_000
SPAN_S = 1_500
START_MS = 1_735_725_600_000  # 2025-01-01T10:00Z: the same set every day
# Weights fall with rank as 1 / (rank + FLAT): Zipf-Mandelbrot, whose first customer has 0.3 % of 16,000's events.
FLAT = 50
REPEATED = 0.005  # sent twice with the same messageId
TWICE_REPORTED = 0.1  # orders that pixel and webhook both report
EVENTS_A_VISIT = 7


def events(total: int, customers: int = CUSTOMERS, span_s: int = SPAN_S, seed: int = SEED) -> Iterator[SimEvent]:
    """`total` events in order of time, over about `span_s` seconds; the same arguments give the same bytes.

    Every customer comes once before any comes for the second time on top of that, as far as `total` reaches.
    """
    rng = random.Random(f"{seed}-bench")
    catalogue = Catalogue(random.Random(f"{seed}-catalogue"))
    people = [make(number, seed, START_MS, 1, catalogue) for number in range(customers)]
    waiting: list[tuple[int, int, SimEvent]] = []
    order = count()
    made = 0
    for at, person in _arrivals(total, people, span_s, rng):
        for event in _visit(person, at, catalogue, rng):
            heapq.heappush(waiting, (event.at, next(order), event))
        while waiting and waiting[0][0] <= at:
            yield heapq.heappop(waiting)[2]
            made += 1
            if made == total:
                return
    while made < total and waiting:
        yield heapq.heappop(waiting)[2]
        made += 1


def _arrivals(total: int, people: list[Customer], span_s: int, rng: random.Random) -> Iterator[tuple[int, Customer]]:
    """Who comes when: everybody once and the busy ones again and again, evenly over the span; then without end."""
    ranks = list(accumulate(1 / (rank + FLAT) for rank in range(len(people))))
    expected = max(1, total // EVENTS_A_VISIT)
    once = rng.sample(people, min(len(people), expected // 2))
    again = [people[bisect(ranks, rng.random() * ranks[-1])] for _ in range(expected - len(once))]
    comers = once + again
    rng.shuffle(comers)
    for number in count():
        person = comers[number] if number < len(comers) else people[bisect(ranks, rng.random() * ranks[-1])]
        yield START_MS + number * span_s * 1000 // expected, person


def _visit(person: Customer, at: int, catalogue: Catalogue, rng: random.Random) -> Iterator[SimEvent]:
    campaign = rng.choice(CAMPAIGNS) if rng.random() < 0.2 else None
    session = Session(person, catalogue, at, lambda: f"{rng.getrandbits(128):032x}", campaign=campaign)
    purpose = rng.random()
    if purpose < 0.5:
        visits.browse(session)
    elif purpose < 0.75 or not person.buys:
        visits.research(session, at)
    elif purpose < 0.97:
        visits.buy(session, at)
    else:
        visits.review(session, rng.choice(catalogue.products), rng.random())
    for event in map(_with_one_id, session.events):
        yield event
        if rng.random() < REPEATED:
            yield event._replace(at=event.at + 1_000)
        if event.topic == "orders" and rng.random() < TWICE_REPORTED:
            yield event._replace(at=event.at + 2_000, value=_reported_again(event.value))


def _with_one_id(event: SimEvent) -> SimEvent:
    said = orjson.loads(event.value)
    if "userId" in said:
        del said["anonymousId"]
    return event._replace(value=orjson.dumps(said))


def _reported_again(value: bytes) -> bytes:
    event = orjson.loads(value)
    return orjson.dumps(event | {"messageId": f"webhook-{event['messageId']}"})
