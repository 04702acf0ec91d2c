"""What a customer can do in one visit, each act an event of Segment's spec with the time it takes."""

import datetime
import random
from collections.abc import Callable
from typing import Any, Final

import orjson

from deploy.simulate.catalogue import Catalogue, Product
from deploy.simulate.customer import Customer
from schemas.events import EVENTS
from stream.sources.event import SourceEvent

CURRENCY: Final = "USD"
SimEvent = SourceEvent


def product_properties(product: Product) -> dict[str, Any]:
    """A product as events describe it."""
    return {
        "product_id": product.sku,
        "name": product.name,
        "category": product.category,
        "brand": product.brand,
        "price": product.price / 100,
    }


class Session:
    """Records acts from `at` on; `known` says whether she is signed in, `campaign` what brought her."""

    def __init__(
        self,
        customer: Customer,
        catalogue: Catalogue,
        at: int,
        new_id: Callable[[], str],
        *,
        known: bool = True,
        campaign: tuple[str, str] | None = None,
    ) -> None:
        self.customer = customer
        self.catalogue = catalogue
        self.rng: random.Random = customer.rng
        self.at = at
        self.events: list[SimEvent] = []
        self._known = known and bool(customer.id)
        self._campaign = campaign
        self._new_id = new_id

    def page(self, name: str) -> None:
        """A page that is no product's."""
        self._say("page", None, {"name": name}, 8)

    def sign_in(self) -> None:
        """She says who she is: from here on her events carry her id."""
        if self.customer.id and not self._known:
            self._known = True
            self._say("identify", None, {}, 4)

    def search(self, query: str) -> None:
        """She looks for words."""
        self._track("Products Searched", {"query": query}, 9)

    def browse(self, category: str) -> list[Product]:
        """A list page; returns what it showed."""
        shown = self.catalogue.page(category, self.rng)
        self._track("Product List Viewed", {"category": category, "products": [*map(product_properties, shown)]}, 14)
        return shown

    def view(self, product: Product, *, clicked: bool = False) -> None:
        """A product's page, from a list if `clicked`."""
        if clicked:
            self._track("Product Clicked", product_properties(product), 2)
        self._track("Product Viewed", {**product_properties(product), "currency": CURRENCY}, 28)

    def wish(self, product: Product) -> None:
        """Onto the wish list."""
        self._track("Product Added to Wishlist", product_properties(product), 4)

    def add(self, product: Product, quantity: int = 1) -> None:
        """Into the cart, which lasts beyond the visit."""
        _, there = self.customer.cart.get(product.sku, (product, 0))
        self.customer.cart[product.sku] = (product, there + quantity)
        self._track("Product Added", {**product_properties(product), "quantity": quantity, "currency": CURRENCY}, 7)

    def remove(self, sku: str) -> None:
        """Out of the cart again."""
        product, quantity = self.customer.cart.pop(sku)
        self._track("Product Removed", {**product_properties(product), "quantity": quantity, "currency": CURRENCY}, 5)

    def cart(self) -> None:
        """A look into the cart."""
        self._track("Cart Viewed", {"products": self._lines(), "currency": CURRENCY}, 15)

    def checkout(self) -> None:
        """The checkout begins."""
        value = self._value() / 100
        self._track("Checkout Started", {"products": self._lines(), "value": value, "currency": CURRENCY}, 40)

    def coupon(self, name: str) -> None:
        """A coupon is entered."""
        self._track("Coupon Applied", {"coupon_id": name}, 10)

    def promotion(self, name: str, *, clicked: bool) -> None:
        """A promotion is shown, and perhaps clicked."""
        self._track("Promotion Viewed", {"promotion_id": name}, 3)
        if clicked:
            self._track("Promotion Clicked", {"promotion_id": name}, 3)

    def order(self, percent_off: int) -> tuple[str, int, list[Product]]:
        """The cart is bought and empty; returns order id, total in minor units and products."""
        value = self._value()
        discount = value * percent_off // 100
        order_id = f"o-{self._new_id()}"
        products = [product for product, _ in self.customer.cart.values()]
        properties = {
            "order_id": order_id,
            "total": (value - discount) / 100,
            "discount": discount / 100,
            "currency": CURRENCY,
            "products": self._lines(),
        }
        self._track("Order Completed", properties, 5)
        for product in products:
            self.customer.bought[product.sku] = self.at
        self.customer.cart.clear()
        return order_id, value - discount, products

    def refund(self, order_id: str, total: int) -> None:
        """The shop pays back `total` minor units of an order."""
        self._track("Order Refunded", {"order_id": order_id, "total": total / 100, "currency": CURRENCY}, 1)

    def review(self, product: Product, rating: int, words: str) -> None:
        """She writes what she thinks."""
        self._track("Product Reviewed", {"product_id": product.sku, "rating": rating, "review_body": words}, 30)

    def _value(self) -> int:
        return sum(product.price * quantity for product, quantity in self.customer.cart.values())

    def _lines(self) -> list[dict[str, Any]]:
        return [{**product_properties(product), "quantity": n} for product, n in self.customer.cart.values()]

    def _track(self, name: str, properties: dict[str, Any], seconds: float) -> None:
        self._say("track", name, properties, seconds)

    def _say(self, kind: str, name: str | None, properties: dict[str, Any], seconds: float) -> None:
        moment = datetime.datetime.fromtimestamp(self.at / 1000, datetime.UTC)
        message: dict[str, Any] = {
            "type": kind,
            "messageId": self._new_id(),
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{self.at % 1000:03d}Z",
            "anonymousId": self.customer.anonymous,
            "context": {"device": {"type": self.customer.device}, "locale": self.customer.locale},
            "properties": properties,
        }
        if name is not None:
            message["event"] = name
        if self._known:
            message["userId"] = self.customer.id
        if self._campaign is not None and len(self.events) < 2:
            message["context"]["campaign"] = {"source": self._campaign[0], "medium": self._campaign[1]}
        key = self.customer.id if self._known else self.customer.anonymous
        spec = EVENTS.get(name or "")
        topic = "clickstream" if spec is None else spec.topic
        self.events.append(SimEvent(topic, key.encode(), orjson.dumps(message), self.at))
        self.at += int(1000 * seconds * self.rng.lognormvariate(0, 0.6)) + 200
