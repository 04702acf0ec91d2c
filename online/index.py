"""The item index: which items go together, what is popular, what a customer buys again. Incremental and bounded.

Every count decays with event time. It is kept in forward-decayed form (a count at time t is worth 2^((t - origin) /
half-life)), so that all counts compare as they are and nothing has to be touched as time passes; only when the
numbers grow large are all rescaled to a new origin. Source: Cormode et al. 2009, Forward Decay.
"""

import math
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction

WEIGHTS: Final[dict[int, float]] = {
    Behaviour.CLICK: 0.5,
    Behaviour.VIEW: 1.0,
    Behaviour.WISHLIST: 2.0,
    Behaviour.CART_ADD: 3.0,
    Behaviour.ORDER: 5.0,
}
TOGETHER_HALF_MS: Final = 30.0 * DAY_MS
POPULAR_HALF_MS: Final = 3.0 * DAY_MS
ACROSS_SESSIONS: Final = 0.3
SAME_PURCHASE_MS: Final = DAY_MS // 2
HOT: Final = 200
# 2^400 leaves room for sums; at a half-life of 3 days it is reached after more than three years.
RESCALE: Final = 400.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is kept: items, neighbours of each, customers, their recent items and their purchases."""

    items: int = 10_000
    neighbours: int = 20
    customers: int = 5_000
    recent: int = 12
    bought: int = 24


class Recent(Struct, array_like=True):
    """An item that a customer touched lately, in which session, and how strongly."""

    item: str
    session: int
    weight: float


class Bought(Struct, array_like=True):
    """An item's purchases by one customer: first and last time, and how many apart from each other."""

    first: int
    last: int
    count: int

    @property
    def gap_ms(self) -> float | None:
        """The mean time between two purchases; None with one."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else None


class Shopper(Struct):
    """What the index remembers of one customer."""

    recent: list[Recent] = field(default_factory=list)
    bought: dict[str, Bought] = field(default_factory=dict)


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    origin: int | None
    popular: dict[str, float]
    together: dict[str, dict[str, float]]
    mass: dict[str, float]
    categories: dict[str, str]
    shoppers: dict[str, Shopper]


class ItemIndex:
    """Learns from interactions, one at a time; the same interactions in the same order give the same index."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._origin: int | None = None
        self._popular: dict[str, float] = {}
        self._together: dict[str, dict[str, float]] = {}
        self._mass: dict[str, float] = {}
        self._categories: dict[str, str] = {}
        self._shoppers: dict[str, Shopper] = {}
        # The most popular, exactly: counts only grow, so an item outside is below the floor until it grows past it.
        self._hot: dict[str, float] = {}
        self._hot_floor = 0.0

    def __len__(self) -> int:
        return len(self._popular)

    def __contains__(self, item: str) -> bool:
        return item in self._popular

    def learn_one(self, interaction: Interaction) -> None:
        """Take in one interaction; what has no item or no meaning for items is ignored."""
        weight = WEIGHTS.get(interaction.behaviour)
        item = interaction.item
        if weight is None or not item:
            return
        age = self._age(interaction.at)
        count = self._popular[item] = self._popular.get(item, 0.0) + weight * 2.0 ** (age / POPULAR_HALF_MS)
        if count >= self._hot_floor:
            self._hot[item] = count
            if len(self._hot) > 2 * HOT:
                self._cool()
        if interaction.category:
            self._categories[item] = interaction.category
        shopper = self._shopper(interaction.customer)
        if interaction.behaviour == Behaviour.ORDER:
            self._buy(shopper, item, interaction.at)
        self._meet(shopper, interaction, weight, 2.0 ** (age / TOGETHER_HALF_MS))
        if len(self._popular) > self.bounds.items + self.bounds.items // 8:
            self._forget_items()

    def forget(self, customer: str) -> None:
        """Drop what is remembered of one customer; counts over all customers stay, they name nobody."""
        self._shoppers.pop(customer, None)

    def neighbours(self, item: str) -> list[tuple[str, float]]:
        """The items that go best with `item`, best first, with their cosine similarity."""
        together = self._together.get(item)
        if not together:
            return []
        mass = self._mass
        own = mass.get(item, 0.0)
        found = [
            (count / math.sqrt(own * theirs), other)
            for other, count in together.items()
            if (theirs := mass.get(other, 0.0)) * own > 0.0
        ]
        found.sort(reverse=True)
        return [(other, similarity) for similarity, other in found[: self.bounds.neighbours]]

    def trending(self, n: int = HOT) -> list[tuple[str, float]]:
        """The `n` most popular items now, most popular first, as shares of the first's popularity.

        Up to `HOT` items cost a sort of at most twice as many; more cost one of all.
        """
        counts = self._hot if n <= HOT else self._popular
        top = nlargest(n, counts.items(), key=_by_count)
        best = top[0][1] if top else 0.0
        return [(item, count / best if best > 0.0 else 0.0) for item, count in top]

    def category(self, item: str) -> str:
        """The item's category as last said; empty when never."""
        return self._categories.get(item, "")

    def bought(self, customer: str) -> dict[str, Bought]:
        """What this customer bought, of what is remembered."""
        shopper = self._shoppers.get(customer)
        return {} if shopper is None else shopper.bought

    def dump(self) -> dict[str, Any]:
        """The index as JSON-able values.

        It is trimmed to its bounds first, and what goes together rounded to five digits, which is a third of the
        bytes: the original as well, so that copy and original go on alike.
        """
        for item, together in self._together.items():
            best = self._best(together) if len(together) > self.bounds.neighbours else together
            self._together[item] = {other: float(f"{count:.5g}") for other, count in best.items()}
        state = _State(
            origin=self._origin,
            popular=self._popular,
            together=self._together,
            mass=self._mass,
            categories=self._categories,
            shoppers=self._shoppers,
        )
        found: dict[str, Any] = msgspec.to_builtins(state)
        return found

    @classmethod
    def load(cls, state: object, bounds: Bounds | None = None) -> "ItemIndex":
        """An index from `dump`'s state; raises ValueError for anything else."""
        try:
            given = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an item index's state: {error}") from error
        counts = [*given.popular.values(), *given.mass.values()]
        counts += [count for together in given.together.values() for count in together.values()]
        if any(not 0.0 <= count < math.inf for count in counts):
            raise ValueError("the item index's state has a count that is negative or not finite")
        index = cls(bounds)
        index._origin = given.origin
        index._popular, index._together, index._mass = given.popular, given.together, given.mass
        index._categories, index._shoppers = given.categories, given.shoppers
        index._hot = dict(given.popular)
        index._cool()
        return index

    def _age(self, at: int) -> float:
        if self._origin is None:
            self._origin = at
        age = float(at - self._origin)
        if age / POPULAR_HALF_MS > RESCALE:
            self._rescale(age)
            self._origin = at
            return 0.0
        return age

    def _rescale(self, age: float) -> None:
        together, popular = 2.0 ** (-age / TOGETHER_HALF_MS), 2.0 ** (-age / POPULAR_HALF_MS)
        self._popular = {item: count * popular for item, count in self._popular.items()}
        self._hot = {item: count * popular for item, count in self._hot.items()}
        self._hot_floor *= popular
        self._mass = {item: count * together for item, count in self._mass.items()}
        self._together = {
            item: {other: count * together for other, count in others.items()}
            for item, others in self._together.items()
        }

    def _shopper(self, customer: str) -> Shopper:
        # Taken out and put back, the dict is in order of use: the first is the one that was quiet longest.
        shopper = self._shoppers.pop(customer, None) or Shopper()
        self._shoppers[customer] = shopper
        if len(self._shoppers) > self.bounds.customers:
            del self._shoppers[next(iter(self._shoppers))]
        return shopper

    def _buy(self, shopper: Shopper, item: str, at: int) -> None:
        known = shopper.bought.pop(item, None)
        if known is None:
            known = Bought(at, at, 1)
        elif at > known.last + SAME_PURCHASE_MS or at < known.first - SAME_PURCHASE_MS:
            known = Bought(min(known.first, at), max(known.last, at), known.count + 1)
        shopper.bought[item] = known
        if len(shopper.bought) > self.bounds.bought:
            del shopper.bought[next(iter(shopper.bought))]

    def _meet(self, shopper: Shopper, interaction: Interaction, weight: float, decay: float) -> None:
        item, session = interaction.item, interaction.session
        recent = shopper.recent
        for position, known in enumerate(recent):
            if known.item == item:
                del recent[position]
                if known.session == session and known.weight >= weight:
                    # Looked at once more: nothing new about what goes with what.
                    recent.append(known)
                    return
                break
        own = self._together.setdefault(item, {})
        gained = 0.0
        for known in recent:
            # The weaker of the two behaviours says how much it means that both met.
            count = min(weight, known.weight) * decay
            if known.session != session:
                count *= ACROSS_SESSIONS
            own[known.item] = own.get(known.item, 0.0) + count
            self._gain(known.item, item, count)
            gained += count
        self._mass[item] = self._mass.get(item, 0.0) + gained
        if len(own) > 2 * self.bounds.neighbours:
            self._together[item] = self._best(own)
        recent.append(Recent(item, session, weight))
        del recent[: -self.bounds.recent]

    def _gain(self, item: str, other: str, count: float) -> None:
        if item not in self._popular:
            return
        together = self._together.setdefault(item, {})
        together[other] = together.get(other, 0.0) + count
        self._mass[item] = self._mass.get(item, 0.0) + count
        if len(together) > 2 * self.bounds.neighbours:
            self._together[item] = self._best(together)

    def _best(self, together: dict[str, float]) -> dict[str, float]:
        return dict(nlargest(self.bounds.neighbours, together.items(), key=_by_count))

    def _cool(self) -> None:
        self._hot = dict(nlargest(HOT, self._hot.items(), key=_by_count))
        self._hot_floor = min(self._hot.values()) if len(self._hot) == HOT else 0.0

    def _forget_items(self) -> None:
        keep = {item for item, _ in nlargest(self.bounds.items, self._popular.items(), key=_by_count)}
        for store in (self._popular, self._together, self._mass, self._categories):
            for item in store.keys() - keep:
                del store[item]
        self._hot = dict(self._popular)
        self._cool()


def _by_count(pair: tuple[str, float]) -> tuple[float, str]:
    return pair[1], pair[0]
