"""The item index: what may come next in a session, what is popular, what a customer buys again.

It learns from interactions, one at a time, and is bounded; the same interactions in the same order give the same index.
"""

from collections.abc import Sequence
from typing import Final

from online.recommend.bandit import Bandit, context
from online.recommend.baskets import Baskets
from online.recommend.lists import Lists, Settled
from online.recommend.memory import DAY, Bounds, Memory
from online.recommend.popular import HOT, Popular
from online.recommend.sequel import Sequel
from online.recommend.sessions import LENGTH
from online.recommend.shelf import Shelf
from online.recommend.shoppers import NO_SERIAL, Bought, Shopper, Shoppers
from online.recommend.sources import Sources
from online.recommend.visit import asked, of_shopper
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
        self.shelf = Shelf(2 * self.bounds.items, self.__contains__)
        self.sequel = Sequel(self.memory)
        self.popular = Popular(self.memory, self.shelf)
        self.baskets = Baskets(self.memory, self.popular)
        self.sources = Sources(self.memory, self.sequel, self.popular, self.baskets, self.shelf)
        self.bandit = Bandit()
        self.lists = Lists()
        self.steps = 0
        self.orders = 0

    def __len__(self) -> int:
        return len(self.memory.slots)

    def __contains__(self, item: str) -> bool:
        return item in self.memory.slots

    def learn_one(self, interaction: Interaction, lane: int = 0) -> None:
        """Take in one interaction, of this partition of the log; what has no meaning for items is ignored."""
        weight, item, at = WEIGHTS.get(interaction.behaviour), interaction.item, interaction.at
        for settled in self._settle(interaction, lane):
            self.bandit.learn_list(settled)
        if item:
            self._describe(interaction)
        if weight is None or not item:
            self._note(interaction)
            return
        shopper, step = self._visit(interaction)
        if step and shopper.items:
            self.steps += 1
            if self.choices and self.steps % self.choices == 0:
                self.learn_choice(shopper.items, item, at)
                self._learn_worth(shopper, item, weight, at)
        if interaction.behaviour == Behaviour.ORDER:
            self.orders += 1
            if self.choices and self.orders % min(self.choices, PURCHASES) == 0:
                self.baskets.learn_one(shopper, item, at)
        slot = self._slot(item)
        if self.memory.touch(slot, weight, at):
            self.popular.forget()
        self.popular.touched(slot, item)
        if query := asked(shopper):
            self.memory.sought(query, slot, weight / (1 + shopper.followed), at)
        if step:
            self._step(shopper, slot, weight, at)
        self._remember(shopper, interaction, step)

    def remember_one(self, interaction: Interaction, lane: int = 0) -> None:
        """Take in what an interaction says of its customer, where the items have learned from it already."""
        for _ in self._settle(interaction, lane):
            pass  # Known, as is what came of it.
        if interaction.behaviour in WEIGHTS and interaction.item:
            shopper, step = self._visit(interaction)
            self._remember(shopper, interaction, step)
        else:
            self._note(interaction)

    def stock(self, item: str, category: str, brand: str, price: int | None, there: bool | None, at: int) -> None:
        """The shop says, at `at`, what an item is, and whether it can be bought (None: nothing of that)."""
        self._place(item, category, brand, price)
        if there is not None:
            self.shelf.stock(item, there, at)

    def learn_choice(self, session: Sequence[str], item: str, at: int) -> None:
        """The ranker learns that `item` came next after the items of `session`, of all that might have."""
        self.sequel.learn_choice(session, item, at)

    def after(self, session: Sequence[str], at: int, k: int = 20) -> list[tuple[str, float]]:
        """The items most likely to come next, best first, with their probabilities among the candidates.

        `session` is its items, oldest first; unknown ones are ignored. Empty where none is known.
        """
        return self.sequel.after(session, at, k)

    def basket(self, customer: str, at: int, k: int = 20) -> list[tuple[str, float]]:
        """The items most likely to be in the customer's next order, best first, with their probabilities."""
        shares = self.baskets.next(self.shoppers.find(customer) or Shopper(), at)
        return sorted(shares.items(), key=lambda found: (-found[1], found[0]))[:k]

    def trending(self, n: int = HOT) -> list[tuple[str, float]]:
        """The `n` hottest items, best first, as shares of the first's."""
        return self.popular.trending(n)

    def bought(self, customer: str) -> dict[str, Bought]:
        """What this customer bought, of what is remembered."""
        shopper = self.shoppers.find(customer)
        return {} if shopper is None else shopper.bought

    def forget(self, customer: str) -> None:
        """Drop what is remembered of one customer; counts over all customers stay, they name nobody."""
        self.shoppers.forget(customer)
        self.lists.forget(customer)

    def _settle(self, interaction: Interaction, lane: int) -> Sequence[Settled]:
        """The lists of which it is now known what came of them."""
        if interaction.shown is not None:
            self.lists.show(interaction, lane)
        elif interaction.behaviour in WEIGHTS and interaction.item:
            return list(self.lists.chosen(interaction.customer, interaction.item, interaction.at, lane))
        return ()

    def _learn_worth(self, shopper: Shopper, item: str, weight: float, at: int) -> None:
        """The bandit learns which sources would have shown the `item` that came next."""
        visit = of_shopper(shopper, at)
        self.bandit.learn_one(context(visit), self.sources.first(visit), item, weight)

    def _describe(self, told: Interaction) -> None:
        self._place(told.item, told.category, told.brand, told.price)
        if told.in_stock is not None:
            self.shelf.stock(told.item, told.in_stock, told.at)

    def _place(self, item: str, category: str, brand: str, price: int | None) -> None:
        left = self.shelf.place(item, category, brand, price)
        if left is not None:
            self.popular.left(left)
            slot = self.memory.slots.find(item)
            if slot is not None:
                self.popular.touched(slot, item)

    def _note(self, interaction: Interaction) -> None:
        """What a customer does without choosing an item."""
        if interaction.behaviour == Behaviour.CART_REMOVE:
            self._put_back(interaction.customer, interaction.item)
        elif interaction.behaviour == Behaviour.SEARCH and interaction.query:
            shopper, _ = self._visit(interaction)
            shopper.query, shopper.followed = interaction.query, 0

    def _put_back(self, customer: str, item: str) -> None:
        shopper = self.shoppers.find(customer)
        if shopper is not None and item in shopper.cart:
            shopper.cart.remove(item)

    def _slot(self, item: str) -> int:
        memory = self.memory
        if item not in memory.slots and memory.slots.full:
            memory.forget_items()
            self.popular.forget()
        return memory.slot(item)

    def _visit(self, interaction: Interaction) -> tuple[Shopper, bool]:
        """The customer, in this session, and whether this is a step of it."""
        shopper = self.shoppers.touch(interaction.customer)
        if interaction.session != shopper.session:
            shopper.session, shopper.serial, shopper.items = interaction.session, NO_SERIAL, []
            shopper.query = ""
        return shopper, interaction.behaviour in LOOKS or interaction.item not in shopper.items

    def _remember(self, shopper: Shopper, interaction: Interaction, step: bool) -> None:
        item = interaction.item
        if step:
            shopper.items.append(item)
            del shopper.items[:-LENGTH]
            shopper.followed += 1
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
