"""The storefront: all customers' visits on one line of time, made as they are asked for, without end."""

import heapq
import random
from collections.abc import Callable, Iterator
from itertools import count

from deploy.simulate import visits
from deploy.simulate.catalogue import Catalogue, Product
from deploy.simulate.customer import DAY_MS, Customer, Truth, make, passer_by
from deploy.simulate.session import Session, SimEvent
from deploy.simulate.visits import Purpose
from deploy.simulate.words import CAMPAIGNS

CUSTOMERS = 250
DAYS = 60
LIVE_EVERY_S = 7.0
WARM_UP_MS = 15 * 60_000  # the live crowd is there already when history reaches now

Job = Callable[[int], None]


class Storefront:
    """`days` of history, and from then on more visitors, so that there is something to see: one about every
    `live_every_s`. The same seed and start give the same events. It knows what will become of everyone (`truth`).
    """

    def __init__(
        self, seed: int, *, customers: int = CUSTOMERS, days: int = DAYS, live_every_s: float = LIVE_EVERY_S
    ) -> None:
        self._seed = seed
        self._count = customers
        self._days = days
        self._live_every_s = live_every_s
        self._rng = random.Random(f"{seed}-storefront")
        self._catalogue = Catalogue(random.Random(f"{seed}-catalogue"))
        self._customers: list[Customer] = []
        self._queue: list[tuple[int, int, Job | SimEvent]] = []
        self._sequence = count()
        self._ids = count()
        self._run = ""

    @property
    def catalogue(self) -> Catalogue:
        """What it sells."""
        return self._catalogue

    def truth(self) -> dict[str, Truth]:
        """What is true of each customer, by the id the engine knows; complete once `events` has begun."""
        return {customer.key: customer.truth for customer in self._customers}

    def events(self, start_ms: int, until: int | None = None) -> Iterator[SimEvent]:
        """Events in time order from `start_ms` up to `until` (exclusive; None: for ever). Call it once."""
        self._run = f"{self._seed:x}-{start_ms // 1000:x}"
        self._customers = [
            make(number, self._seed, start_ms, self._days, self._catalogue) for number in range(self._count)
        ]
        for customer in self._customers:
            self._settle(customer)
        self._at(start_ms + self._days * DAY_MS - WARM_UP_MS, self._arrival)
        while self._queue:
            at, _, what = heapq.heappop(self._queue)
            if until is not None and at >= until:
                return
            if callable(what):
                what(at)
            else:
                yield what

    def _settle(self, customer: Customer) -> None:
        """First visit, and a first purchase that lies anywhere in her usual gap."""
        joined = customer.truth.joined
        self._visit(customer, customer.at_her_hour(joined + int(customer.rng.random() * 3 * DAY_MS), joined))
        if customer.buys:
            first = customer.rng.random() * customer.buy_gap
            self._plan_purchase(customer, joined, customer.at_her_hour(joined + int(first * DAY_MS), joined))

    def _visit(self, customer: Customer, at: int) -> None:
        def look_around(now: int) -> None:
            if self._free(customer, now, look_around):
                self._open(customer, now, Purpose.BROWSE)
                self._visit(customer, customer.next_visit(now))

        self._at(at, look_around)

    def _plan_purchase(self, customer: Customer, at: int, due: int) -> None:
        """She makes up her mind in the days before, then buys; a newer plan makes this one void."""
        customer.cycle += 1
        customer.due = due
        cycle = customer.cycle
        for _ in range(customer.rng.choice((0, 1, 1, 2))):
            before = due - int(customer.rng.uniform(0.15, 2.5) * DAY_MS)

            def make_up_her_mind(now: int) -> None:
                if cycle == customer.cycle and self._free(customer, now, make_up_her_mind):
                    self._open(customer, now, Purpose.RESEARCH)

            if before > at:
                self._at(before, make_up_her_mind)

        def go_and_buy(now: int) -> None:
            if cycle == customer.cycle and self._free(customer, now, go_and_buy):
                self._buy(customer, now)

        self._at(due, go_and_buy)

    def _buy(self, customer: Customer, now: int) -> None:
        if self._open(customer, now, Purpose.BUY) or customer.rng.random() < 0.25:
            self._plan_purchase(customer, now, customer.next_due(now))
        else:
            again = now + int(customer.rng.uniform(0.2, 2.0) * DAY_MS)
            self._plan_purchase(customer, now, customer.at_her_hour(again, now))

    def _open(self, customer: Customer, now: int, purpose: Purpose) -> bool:
        """One visit; returns whether she bought."""
        rng = customer.rng
        campaign = rng.choice(CAMPAIGNS) if rng.random() < 0.15 + 0.3 * customer.thrift else None
        session = self._session(customer, now, known=rng.random() < 0.85, campaign=campaign)
        bought = None
        if purpose is Purpose.BROWSE:
            visits.browse(session)
        elif purpose is Purpose.RESEARCH:
            visits.research(session, now)
        else:
            bought = visits.buy(session, now)
        self._publish(session)
        if bought is not None:
            self._afterwards(customer, session.at, bought)
        return bought is not None

    def _afterwards(self, customer: Customer, at: int, bought: visits.Bought) -> None:
        rng, unhappy = customer.rng, customer.decline(at)
        if rng.random() < 0.02 + 0.15 * unhappy:
            back = bought.total if rng.random() < 0.4 else bought.total // 2

            def refund(now: int) -> None:
                session = self._session(customer, now)
                session.refund(bought.order_id, back)
                self._publish(session)

            self._at(at + int(rng.uniform(2, 6) * DAY_MS), refund)
        if rng.random() < customer.critic + 0.3 * unhappy:
            self._review_later(customer, at, rng.choice(bought.products), unhappy)

    def _review_later(self, customer: Customer, at: int, product: Product, unhappy: float) -> None:
        def review(now: int) -> None:
            if self._free(customer, now, review):
                session = self._session(customer, now)
                visits.review(session, product, unhappy)
                self._publish(session)

        self._at(customer.at_her_hour(at + int(customer.rng.uniform(2, 7) * DAY_MS), at), review)

    def _arrival(self, now: int) -> None:
        """A live visitor: someone whose purchase is near, someone who looks around, or a passer-by."""
        rng = self._rng
        customer = rng.choice(self._customers) if rng.random() < 0.6 else None
        if rng.random() < 0.25:
            near = [c for c in rng.sample(self._customers, min(60, self._count)) if c.buys and c.due > now]
            customer = min(near, key=lambda c: c.due, default=customer)
        if customer is None:
            self._open(passer_by(f"{self._run}-{next(self._ids):x}", now, rng, self._catalogue), now, Purpose.BROWSE)
        elif not customer.gone(now) and customer.busy_until <= now and customer.truth.joined <= now:
            if customer.buys and 0 < customer.due - now < 2 * DAY_MS:
                self._buy(customer, now)
            else:
                self._open(customer, now, Purpose.BROWSE)
        self._at(now + int(rng.expovariate(1 / self._live_every_s) * 1000) + 1, self._arrival)

    def _free(self, customer: Customer, now: int, job: Job) -> bool:
        """Whether she can come now; when she is here already, the job waits, and when she has left it is dropped."""
        if customer.gone(now):
            return False
        if customer.busy_until > now:
            self._at(customer.busy_until + 1_800_000, job)
            return False
        return True

    def _session(
        self, customer: Customer, at: int, *, known: bool = True, campaign: tuple[str, str] | None = None
    ) -> Session:
        return Session(customer, self._catalogue, at, self._new_id, known=known, campaign=campaign)

    def _publish(self, session: Session) -> None:
        session.customer.busy_until = session.at
        for event in session.events:
            heapq.heappush(self._queue, (event.at, next(self._sequence), event))

    def _new_id(self) -> str:
        return f"{self._run}-{next(self._ids):x}"

    def _at(self, when: int, job: Job) -> None:
        heapq.heappush(self._queue, (when, next(self._sequence), job))
