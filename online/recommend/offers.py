"""What each source would show a customer first, as the bandit learns from: all of them, whichever is shown."""

from typing import Final

from online.recommend.baskets import Baskets
from online.recommend.popular import Popular
from online.recommend.shoppers import Shopper

FIRST: Final = 10


def offers(
    shopper: Shopper, after: list[tuple[str, float]], popular: Popular, baskets: Baskets, at: int
) -> dict[str, list[str]]:
    """The first items of each source; `after` is what comes after her session's items, best first."""
    barred = {*shopper.cart, *shopper.bought}
    last = shopper.items[-1] if shopper.items else ""
    category = popular.categories.get(last, "")
    ranked = {
        "together": after,
        "similar": popular.of_category(category, FIRST + 30),
        "trending": popular.trending(FIRST + 30),
    }
    found = {
        source: [item for item, _ in items if item not in barred and (item != last or source == "trending")][:FIRST]
        for source, items in ranked.items()
    }
    due = {item: b for item, b in shopper.bought.items() if item not in shopper.cart and b.fit(at) is not None}
    likely = baskets.compare(due, shopper.orders, at) if due else {}
    found["buy_again"] = sorted(due, key=lambda item: (-likely[item], item))[:FIRST]
    return found
