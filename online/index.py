"""The item index: what may come next in a session, what is popular, what a customer buys again.

It learns from interactions, one at a time, and is bounded; the same interactions in the same order give the same index.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from online.recommend import query
from online.recommend.bandit import Bandit, context
from online.recommend.baskets import Baskets
from online.recommend.memory import DAY, Bounds, Memory
from online.recommend.offers import FIRST, offers
from online.recommend.popular import HOT, Popular
from online.recommend.prior import PRIOR
from online.recommend.ranker import Ranker
from online.recommend.sessions import LENGTH
from online.recommend.shoppers import NO_SERIAL, Bought, Shopper, Shoppers
from schemas.behaviours import Behaviour
from schemas.outputs import Interaction

WEIGHTS: Final[dict[int, float]] = {
    Behaviour.CLICK: 0.5,
    Behaviour.VIEW: 1.0,
    Behaviour.WISHLIST: 2.0,
    Behaviour.CART_ADD: 3.0,
    Behaviour.ORDER: 5.0,
}
# Every look at an item is a step of the session; what is put into the cart or bought was mostly looked at before.
LOOKS: Final = frozenset({Behaviour.CLICK, Behaviour.VIEW})
# The ranker learns from one in this many steps: each costs as much as a recommendation.
CHOICES: Final = 64
# That of orders learns from one of so many of their items at least: it looks at few candidates.
PURCHASES: Final = 16

__all__ = ["DAY", "HOT", "WEIGHTS", "Bought", "Bounds", "ItemIndex"]


class ItemIndex:
    """Learns from interactions; `choices` is how often the rankers learn, one in so many (0: never).

    One ranks what comes next in a session, and learns from its steps; another what an order has, and learns from these.
    """

    def __init__(self, bounds: Bounds | None = None, choices: int = CHOICES) -> None:
        self.bounds = bounds or Bounds()
        self.choices = choices
        self.memory = Memory(self.bounds)
        self.shoppers = Shoppers(self.bounds.customers, self.bounds.bought, self.bounds.purchases)
        self.ranker = Ranker(query.features_count(), PRIOR)
        self.popular = Popular(self.memory)
        self.baskets = Baskets(self.memory, self.popular)
        self.bandit = Bandit()
        self.steps = 0
        self.orders = 0

    def __len__(self) -> int:
        return len(self.memory.slots)

    def __contains__(self, item: str) -> bool:
        return item in self.memory.slots

    def learn_one(self, interaction: Interaction) -> None:
        """Take in one interaction; what has no item or no meaning for items is ignored."""
        weight = WEIGHTS.get(interaction.behaviour)
        item = interaction.item
        if interaction.behaviour == Behaviour.CART_REMOVE:
            self._put_back(interaction.customer, item)
        if weight is None or not item:
            return
        shopper, step = self._visit(interaction)
        if step and shopper.items:
            self.steps += 1
            if self.choices and self.steps % self.choices == 0:
                self.learn_choice(shopper.items, item, interaction.at)
                self._learn_worth(shopper, item, weight, interaction.at)
        if interaction.behaviour == Behaviour.ORDER:
            self.orders += 1
            if self.choices and self.orders % min(self.choices, PURCHASES) == 0:
                self.baskets.learn_one(shopper, item, interaction.at)
        slot = self._slot(item)
        if interaction.category:
            self.popular.categorise(item, slot, interaction.category)
        if self.memory.touch(slot, weight, interaction.at):
            self.popular.forget()
        self.popular.touched(slot, item)
        if step:
            self._step(shopper, slot, weight, interaction.at)
        self._remember(shopper, interaction, step)

    def remember_one(self, interaction: Interaction) -> None:
        """Take in what an interaction says of its customer, where the items have learned from it already."""
        if interaction.behaviour == Behaviour.CART_REMOVE:
            self._put_back(interaction.customer, interaction.item)
        if interaction.behaviour in WEIGHTS and interaction.item:
            shopper, step = self._visit(interaction)
            self._remember(shopper, interaction, step)

    def learn_choice(self, session: Sequence[str], item: str, at: int) -> None:
        """The ranker learns that `item` came next after the items of `session`, of all that might have."""
        found = self._find(session, at)
        slot = self.memory.slots.find(item)
        if found is None or slot is None:
            return
        place = int(np.searchsorted(found.slots, slot))
        if place < len(found.slots) and found.slots[place] == slot:
            self.ranker.learn_one(found.features, place)

    def _learn_worth(self, shopper: Shopper, item: str, weight: float, at: int) -> None:
        """The bandit learns which sources would have shown the `item` that came next."""
        after = self.after(shopper.items, at, 2 * FIRST)
        offered = offers(shopper, after, self.popular, self.baskets, at)
        self.bandit.learn_one(context(shopper.items, shopper.cart, shopper.bought), offered, item, weight)

    def after(self, session: Sequence[str], at: int, k: int = 20) -> list[tuple[str, float]]:
        """The items most likely to come next, best first, with their probabilities among the candidates.

        `session` is its items, oldest first; unknown ones are ignored. Empty where none is known.
        """
        found = self._find(session, at)
        if found is None:
            return []
        scores = np.exp(found.scores - found.scores.max())
        shares = scores / scores.sum()
        best = np.argsort(-shares, kind="stable")[:k]
        name = self.memory.slots.name
        return [(name(int(found.slots[i])), float(shares[i])) for i in best]

    def basket(self, customer: str, at: int, k: int = 20) -> list[tuple[str, float]]:
        """The items most likely to be in the customer's next order, best first, with their probabilities."""
        shares = self.baskets.next(self.shoppers.find(customer) or Shopper(), at)
        return sorted(shares.items(), key=lambda found: (-found[1], found[0]))[:k]

    def trending(self, n: int = HOT) -> list[tuple[str, float]]:
        """The `n` hottest items, best first, as shares of the first's."""
        return self.popular.trending(n)

    def of_category(self, category: str, n: int) -> list[tuple[str, float]]:
        """The hottest items of a category, best first, as shares of the first's."""
        return self.popular.of_category(category, n)

    def reasons(self, items: Sequence[str], session: Sequence[str]) -> list[str]:
        """For each item the one of the session that it goes with best, the newest where it goes with none."""
        known = {name: slot for name in reversed(session) if (slot := self.memory.slots.find(name)) is not None}
        wanted = [self.memory.slots.find(item) for item in items]
        if not known or not items:
            return [session[-1]] * len(items) if session else []
        share = query.beside(self.memory, list(known.values()), [-1 if slot is None else slot for slot in wanted])
        names = list(known)
        best = share.argmax(0)
        return [names[best[i]] if share[best[i], i] > 0.0 else names[0] for i in range(len(items))]

    @property
    def categories(self) -> dict[str, str]:
        """The items' categories as last said."""
        return self.popular.categories

    def category(self, item: str) -> str:
        """The item's category as last said; empty when never."""
        return self.categories.get(item, "")

    def session(self, customer: str) -> list[str]:
        """The items of the customer's last session, oldest first."""
        shopper = self.shoppers.find(customer)
        return [] if shopper is None else list(shopper.items)

    def cart(self, customer: str) -> list[str]:
        """What is in the customer's cart, of what is remembered."""
        shopper = self.shoppers.find(customer)
        return [] if shopper is None else list(shopper.cart)

    def bought(self, customer: str) -> dict[str, Bought]:
        """What this customer bought, of what is remembered."""
        shopper = self.shoppers.find(customer)
        return {} if shopper is None else shopper.bought

    def forget(self, customer: str) -> None:
        """Drop what is remembered of one customer; counts over all customers stay, they name nobody."""
        self.shoppers.forget(customer)

    def _put_back(self, customer: str, item: str) -> None:
        shopper = self.shoppers.find(customer)
        if shopper is not None and item in shopper.cart:
            shopper.cart.remove(item)

    def _find(self, session: Sequence[str], at: int) -> query.Found | None:
        known = [slot for item in session if (slot := self.memory.slots.find(item)) is not None]
        if not known:
            return None
        found = query.find(self.memory, known, at)
        return found._replace(scores=self.ranker.score(found.features))

    def _slot(self, item: str) -> int:
        memory = self.memory
        if item not in memory.slots and memory.slots.full:
            memory.forget_items()
            self.popular.take({i: category for i, category in self.categories.items() if i in memory.slots})
        return memory.slot(item)

    def _visit(self, interaction: Interaction) -> tuple[Shopper, bool]:
        """The customer, in this session, and whether this is a step of it."""
        shopper = self.shoppers.touch(interaction.customer)
        if interaction.session != shopper.session:
            shopper.session, shopper.serial, shopper.items = interaction.session, NO_SERIAL, []
        return shopper, interaction.behaviour in LOOKS or interaction.item not in shopper.items

    def _remember(self, shopper: Shopper, interaction: Interaction, step: bool) -> None:
        item = interaction.item
        if step:
            shopper.items.append(item)
            del shopper.items[:-LENGTH]
        if interaction.behaviour == Behaviour.CART_ADD:
            self.shoppers.carry(shopper, item)
        elif interaction.behaviour == Behaviour.ORDER:
            self.shoppers.buy(shopper, item, interaction.at)
            self._put_back(interaction.customer, item)

    def _step(self, shopper: Shopper, slot: int, weight: float, at: int) -> None:
        memory = self.memory
        find = memory.slots.find
        before = [known for other in reversed(shopper.items) if (known := find(other)) is not None]
        if before:
            memory.meet(slot, before, weight, at)
            if not memory.sessions.holds(shopper.serial):
                shopper.serial = memory.sessions.begin(at)
                for known in reversed(before):
                    memory.sessions.append(shopper.serial, known)
            memory.sessions.append(shopper.serial, slot)
