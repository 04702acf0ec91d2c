"""What a customer can do."""

from enum import IntEnum


class Behaviour(IntEnum):
    """Kinds of behaviour. The numbers are written into stored profiles: never renumber, only append."""

    PAGE = 0
    SEARCH = 1
    LIST_VIEW = 2
    CLICK = 3
    VIEW = 4
    CART_ADD = 5
    CART_REMOVE = 6
    CART_VIEW = 7
    CHECKOUT = 8
    PROMO_VIEW = 9
    PROMO_CLICK = 10
    COUPON = 11
    WISHLIST = 12
    REVIEW = 13
    ORDER = 14
    ORDER_UPDATE = 15
    CANCEL = 16
    REFUND = 17
    IDENTIFY = 18
    OTHER = 19
    REVIEW_SCORED = 20  # what was found out about a review: no behaviour of hers, and never counted as one

    # An enum hashes its name, in Python: every event is looked up several times.
    __hash__ = int.__hash__
