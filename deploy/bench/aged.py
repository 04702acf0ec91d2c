"""Profiles as they are after months: the engine's own work on a year of one customer's visits."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from deploy.bench.events import SEED
from deploy.simulate import visits
from deploy.simulate.catalogue import Catalogue
from deploy.simulate.customer import DAY_MS, make
from deploy.simulate.session import Session
from schemas.decode import decode
from stream.features.codec import encode_profile
from stream.features.engine import Config, Engine
from stream.features.profile import Profile

NOW_MS = 1_735_689_600_000  # 2025-01-01: the same profiles every day


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


class Aged(NamedTuple):
    """A profile, and the time at which its next timer is due."""

    profile: Profile
    due: int

    def encoded(self) -> bytes:
        """As it lies on the topic."""
        return encode_profile(self.profile, self.due)


class Maker:
    """Makes profiles by the engine's own functions, from events as the wire carries them, up to `now` (ms); seeded."""

    def __init__(self, now: int = NOW_MS, seed: int = SEED) -> None:
        self._rng = random.Random(f"{seed}-aged")
        self._seed = seed
        self._now = now
        self._catalogue = Catalogue(random.Random(f"{seed}-catalogue"))

    def profile(self, number: int, life: Life) -> Aged:
        """Customer `number`'s profile after her `life`, pruned as at a flush; what was due until now has fired."""
        engine = Engine(Config(emit=False))
        person = make(number, self._seed, self._now - 365 * DAY_MS, 365, self._catalogue)
        moments = sorted(self._now - int(self._rng.random() * life.days * DAY_MS) for _ in range(life.visits))
        offset = 0
        for at in moments:
            session = Session(person, self._catalogue, at, self._new_id)
            self._act(session, at)
            for event in session.events:
                engine.apply(decode(event.value, "USD"), 0, offset, max(event.at, self._now))
                offset += 1
        engine.advance(self._now, self._now)
        (found,) = [profile for _, profile in engine.flush() if profile is not None]
        return Aged(found, engine.due(found.customer))

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
