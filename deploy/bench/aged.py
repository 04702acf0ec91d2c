"""Profiles as they are after months: the engine's own work on a year of one customer's visits."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deploy.bench.events import SEED
from deploy.simulate import visits
from deploy.simulate.catalogue import Catalogue
from deploy.simulate.customer import DAY_MS, make
from deploy.simulate.session import Session
from schemas.decode import decode
from stream.features.engine import Config, Engine
from stream.features.profile import Profile

START_MS = 1_704_067_200_000  # 2024-01-01


@dataclass(frozen=True, slots=True)
class Life:
    """How a customer lives: `visits` spread over `days`, the last of which is today for all."""

    visits: int
    days: int


HEAVY = Life(visits=90, days=365)
"""Hundreds of events in a year: about two visits a week, with searches, orders and reviews."""


def lives(rng: random.Random) -> Iterator[Life]:
    """Customers as a shop has them, without end: half came once or twice, one in a hundred comes every week."""
    while True:
        count = min(120, int(rng.paretovariate(1.1)))
        yield Life(count, min(365, 1 + int(count * rng.uniform(2, 9))))


class Maker:
    """Makes profiles by the engine's own functions, from events as the wire carries them; seeded."""

    def __init__(self, seed: int = SEED) -> None:
        self._rng = random.Random(f"{seed}-aged")
        self._seed = seed
        self._catalogue = Catalogue(random.Random(f"{seed}-catalogue"))

    def profile(self, number: int, life: Life) -> Profile:
        """Customer `number`'s profile at the end of her `life`, pruned as at a flush."""
        engine = Engine(Config(emit=False))
        end = START_MS + 365 * DAY_MS
        person = make(number, self._seed, START_MS, 365, self._catalogue)
        moments = sorted(end - int(self._rng.random() * life.days * DAY_MS) for _ in range(life.visits))
        offset = 0
        for at in moments:
            session = Session(person, self._catalogue, at, self._new_id)
            self._act(session, at)
            for event in session.events:
                engine.apply(decode(event.value, "USD"), 0, offset, end)
                offset += 1
        (found,) = [profile for _, profile in engine.flush() if profile is not None]
        return found

    def _new_id(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def _act(self, session: Session, at: int) -> None:
        rng, purpose = self._rng, self._rng.random()
        if purpose < 0.5:
            visits.browse(session)
        elif purpose < 0.75 or not session.customer.buys:
            visits.research(session, at)
        elif purpose < 0.95:
            visits.buy(session, at)
        else:
            visits.review(session, rng.choice(self._catalogue.products), rng.random())


def spread(make_one: Callable[[int], bytes], distinct: int, total: int) -> Iterator[tuple[int, bytes]]:
    """`total` values made from `distinct` ones, again and again."""
    made = [make_one(number) for number in range(min(distinct, total))]
    for number in range(total):
        yield number, made[number % len(made)]
