"""The invented shop's products, and which of them go together."""

import random
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate

from deploy.simulate.words import AISLES, BRANDS, STYLES, Aisle

KIT = 5


@dataclass(frozen=True, slots=True)
class Product:
    """One product; `price` in minor units, `lasts` the days until it is used up (0: it is not)."""

    sku: str
    name: str
    noun: str
    category: str
    brand: str
    price: int
    lasts: int
    kit: int


class Catalogue:
    """About 300 products. Kits of five are looked at and bought together; popularity falls with rank (Zipf)."""

    def __init__(self, rng: random.Random) -> None:
        drafts = [(aisle, noun, style) for aisle in AISLES for noun in aisle.nouns for style in rng.sample(STYLES, 5)]
        kits = [number // KIT for number in range(len(drafts))]
        rng.shuffle(kits)
        self.products = tuple(
            _product(number, aisle, noun, style, kit, rng)
            for number, ((aisle, noun, style), kit) in enumerate(zip(drafts, kits, strict=True))
        )
        self._by_kit: dict[int, list[Product]] = {}
        self._by_category: dict[str, list[Product]] = {}
        for product in self.products:
            self._by_kit.setdefault(product.kit, []).append(product)
            self._by_category.setdefault(product.category, []).append(product)
        for products in self._by_category.values():
            rng.shuffle(products)
        self._weights = {
            category: list(accumulate(1 / (rank + 2) for rank in range(len(products))))
            for category, products in self._by_category.items()
        }

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories."""
        return tuple(self._by_category)

    def pick(self, category: str, rng: random.Random) -> Product:
        """A product of a category, the popular ones more often."""
        weights = self._weights[category]
        return self._by_category[category][bisect(weights, rng.random() * weights[-1])]

    def companion(self, product: Product, rng: random.Random) -> Product:
        """Another product of the same kit."""
        return rng.choice([other for other in self._by_kit[product.kit] if other is not product])

    def page(self, category: str, rng: random.Random) -> list[Product]:
        """Four to eight different products of a category, as a list page shows them."""
        shown = {self.pick(category, rng).sku: None for _ in range(12)}
        by_sku = {product.sku: product for product in self._by_category[category]}
        return [by_sku[sku] for sku in list(shown)[: rng.randint(4, 8)]]


def _product(number: int, aisle: Aisle, noun: str, style: str, kit: int, rng: random.Random) -> Product:
    price = aisle.low * (aisle.high / aisle.low) ** rng.random()
    return Product(
        sku=f"sku-{number:04d}",
        name=f"{style.capitalize()} {noun}",
        noun=noun,
        category=aisle.name,
        brand=rng.choice(BRANDS),
        price=int(price) * 100 + 99,
        lasts=aisle.lasts,
        kit=kit,
    )
