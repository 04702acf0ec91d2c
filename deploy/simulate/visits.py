"""Why a customer comes, and what she then does: looking around, making up her mind, buying, reviewing."""

from enum import IntEnum
from typing import NamedTuple

from deploy.simulate.catalogue import Product
from deploy.simulate.session import Session
from deploy.simulate.words import COMPLAINTS, PRAISE, PROMOTIONS, SHRUGS


class Purpose(IntEnum):
    """Reasons for a visit."""

    BROWSE = 0
    RESEARCH = 1
    BUY = 2


class Bought(NamedTuple):
    """What a visit ended with."""

    order_id: str
    total: int
    products: list[Product]


def browse(s: Session) -> None:
    """She looks around: a list or two, some products, now and then one into the cart, where it stays."""
    rng, her = s.rng, s.customer
    s.page("Home")
    if rng.random() < 0.35:
        s.promotion(rng.choice(PROMOTIONS), clicked=rng.random() < 0.15 + 0.4 * her.thrift)
    category = rng.choice(her.favourites)
    shown = s.browse(category)
    for product in rng.sample(shown, min(len(shown), rng.choice((0, 1, 1, 2, 3)))):
        s.view(product, clicked=rng.random() < 0.3)
        if rng.random() < 0.06:
            s.wish(product)
        elif rng.random() < 0.05:
            s.add(product)
        if rng.random() < 0.25:
            s.view(s.catalogue.companion(product, rng))
    if her.cart and rng.random() < 0.15:
        s.remove(next(iter(her.cart)))


def research(s: Session, at: int) -> None:
    """She knows what she needs soon: searches, compares, puts it aside or into the cart, and leaves.

    What she wants to keep, she signs in for; what she did before on this device is hers all the same.
    """
    rng = s.rng
    for target in _needs(s, at)[:2]:
        s.search(target.noun if rng.random() < 0.6 else target.name.lower())
        s.view(target)
        for _ in range(rng.choice((0, 1, 1, 2))):
            s.view(s.catalogue.companion(target, rng) if rng.random() < 0.6 else s.catalogue.pick(target.category, rng))
        s.sign_in()
        if rng.random() < 0.2:
            s.wish(target)
        if rng.random() < 0.4:
            s.add(target)
    if s.customer.cart and rng.random() < 0.6:
        s.cart()


def buy(s: Session, at: int) -> Bought | None:
    """She fills the cart with what she needs, signs in, and mostly completes the order; or the cart is left behind."""
    rng, her = s.rng, s.customer
    for target in _needs(s, at):
        if target.sku not in her.cart:
            if rng.random() < 0.5:
                s.search(target.noun)
            s.view(target)
            s.add(target, rng.choice((1, 1, 1, 2)))
        if rng.random() < 0.45:
            other = s.catalogue.companion(target, rng)
            s.view(other)
            if rng.random() < 0.55 and other.sku not in her.cart:
                s.add(other)
    s.cart()
    if rng.random() < 0.07:
        return None
    s.sign_in()
    s.checkout()
    off = 0
    if rng.random() < her.thrift:
        s.coupon("TEN-OFF")
        off = 10
    if rng.random() < 0.06 + 0.2 * her.decline(at):
        return None
    return Bought(*s.order(off))


def review(s: Session, product: Product, unhappy: float) -> None:
    """She writes about something that she bought; `unhappy` (0 to 1) makes a complaint likely."""
    rng = s.rng
    if rng.random() < 0.08 + 0.8 * unhappy:
        rating, words = rng.choice((1, 1, 2)), rng.choice(COMPLAINTS)
    elif rng.random() < 0.15:
        rating, words = 3, rng.choice(SHRUGS)
    else:
        rating, words = rng.choice((4, 5, 5)), rng.choice(PRAISE)
    s.page("My orders")
    s.review(product, rating, words.format(noun=product.noun))


def _needs(s: Session, at: int) -> list[Product]:
    """What has run out, and something from a favourite category when nothing has."""
    her = s.customer
    needs = [p for p in her.staples if at - her.bought.get(p.sku, 0) > 0.8 * p.lasts * 86_400_000]
    if not needs or s.rng.random() < 0.35:
        needs.append(s.catalogue.pick(s.rng.choice(her.favourites), s.rng))
    return needs[:3]
