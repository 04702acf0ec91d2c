"""One simulated customer: what is true of her, which the engine has to find out, and what she has done so far."""

import math
import random
from dataclasses import dataclass, field
from enum import StrEnum

from deploy.simulate.catalogue import Catalogue, Product

DAY_MS = 86_400_000
DECLINE_DAYS = 18


class Kind(StrEnum):
    """Ways to be a customer."""

    LOYAL = "loyal"
    REGULAR = "regular"
    OCCASIONAL = "occasional"
    CHURNER = "churner"
    WINDOW = "window shopper"


SHARES = {Kind.LOYAL: 0.18, Kind.REGULAR: 0.27, Kind.OCCASIONAL: 0.15, Kind.CHURNER: 0.15, Kind.WINDOW: 0.25}
# Median days between visits and between purchases; a churner is loyal or regular before she leaves.
VISITS = {Kind.LOYAL: 6.0, Kind.REGULAR: 10.0, Kind.OCCASIONAL: 16.0, Kind.CHURNER: 6.0, Kind.WINDOW: 9.0}
PURCHASES = {Kind.LOYAL: 8.0, Kind.REGULAR: 15.0, Kind.OCCASIONAL: 36.0, Kind.CHURNER: 9.0}


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a customer's future: when she left for good (epoch ms), None for who stays."""

    kind: Kind
    joined: int
    churned_at: int | None


@dataclass(slots=True)
class Customer:
    """Traits, then state. `id` is empty for who never says who she is; times are epoch ms, gaps days."""

    id: str
    anonymous: str
    truth: Truth
    rng: random.Random
    visit_gap: float
    buy_gap: float
    favourites: list[str]
    staples: list[Product]
    hour: float
    weekend: float
    device: str
    locale: str
    thrift: float
    critic: float
    cart: dict[str, tuple[Product, int]] = field(default_factory=dict)
    bought: dict[str, int] = field(default_factory=dict)
    busy_until: int = 0
    due: int = 0
    cycle: int = 0

    @property
    def key(self) -> str:
        """The id by which the engine knows her."""
        return self.id or self.anonymous

    @property
    def buys(self) -> bool:
        """Whether she is a buyer at all."""
        return self.truth.kind is not Kind.WINDOW

    def gone(self, at: int) -> bool:
        """Whether she has left for good."""
        return self.truth.churned_at is not None and at >= self.truth.churned_at

    def decline(self, at: int) -> float:
        """How far she has drifted away, 0 to 1, in the days before she leaves."""
        if self.truth.churned_at is None:
            return 0.0
        return min(1.0, max(0.0, 1 - (self.truth.churned_at - at) / (DECLINE_DAYS * DAY_MS)))

    def next_visit(self, at: int) -> int:
        """When she comes to look around again: heavy-tailed gaps, at her hours, rather at her days of the week."""
        days = self.rng.expovariate(1 / (self.visit_gap * (1 + 2.5 * self.decline(at))))
        return self.at_her_hour(at + int(max(0.1, days) * DAY_MS), at)

    def next_due(self, at: int) -> int:
        """When she needs to buy again after a purchase at `at`: her own gap, fairly regular."""
        gap = self.buy_gap * (1 + 1.2 * self.decline(at)) * self.rng.lognormvariate(0, 0.22)
        return self.at_her_hour(at + int(gap * DAY_MS), at)

    def at_her_hour(self, moment: int, after: int) -> int:
        """A time on the same day at one of her hours (on a day of the week that suits her), but later than `after`."""
        day = moment // DAY_MS
        # The epoch began on a Thursday: 2 and 3 days later it was Saturday and Sunday.
        if day % 7 not in (2, 3) and self.rng.random() < self.weekend:
            day += (2 - day) % 7 if (2 - day) % 7 <= 3 else 0
        hour = self.rng.gauss(self.hour, 2.2) % 24
        snapped = day * DAY_MS + int(hour * 3_600_000)
        return snapped if snapped > after + 3_600_000 else max(moment, after + 3_600_000)


def make(number: int, seed: int, start: int, days: int, catalogue: Catalogue) -> Customer:
    """Customer `number`, the same for the same seed; `days` of history lie between `start` and now."""
    rng = random.Random(f"{seed}-{number}")
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    joined = start if rng.random() < 0.7 else start + int(rng.random() * days * 0.8 * DAY_MS)
    churned = None
    if kind is Kind.CHURNER:
        joined = start
        churned = start + int(rng.uniform(0.2, 0.85) * days * DAY_MS)
    return _customer(f"{seed:x}-{number:04d}", kind, joined, churned, rng, catalogue)


def passer_by(name: str, at: int, rng: random.Random, catalogue: Catalogue) -> Customer:
    """Somebody who comes once and is not remembered."""
    return _customer(name, Kind.WINDOW, at, None, random.Random(rng.getrandbits(64)), catalogue)


def _customer(
    name: str, kind: Kind, joined: int, churned: int | None, rng: random.Random, catalogue: Catalogue
) -> Customer:
    favourites = rng.sample(catalogue.categories, 3)
    usable = [p for p in catalogue.products if p.lasts]
    # Two peaks: lunch time and the evening.
    hour = rng.gauss(12.5, 1.5) if rng.random() < 0.3 else rng.gauss(20.0, 1.8)
    return Customer(
        id="" if kind is Kind.WINDOW else f"c-{name}",
        anonymous=f"a-{name}",
        truth=Truth(kind, joined, churned),
        rng=rng,
        visit_gap=min(45.0, max(0.8, rng.lognormvariate(math.log(VISITS[kind]), 0.7))),
        buy_gap=min(60.0, max(3.0, rng.lognormvariate(math.log(PURCHASES.get(kind, 60.0)), 0.35))),
        favourites=favourites,
        staples=rng.sample(usable, 3),
        hour=hour,
        weekend=rng.choice((0.1, 0.3, 0.6)),
        device=rng.choices(("mobile", "desktop", "tablet"), (0.58, 0.36, 0.06))[0],
        locale=rng.choice(("en-US", "en-GB", "de-DE")),
        thrift=rng.betavariate(1.2, 4),
        critic=rng.betavariate(1.2, 5),
    )
