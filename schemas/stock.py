"""Whether an item can be bought, from the words and numbers in which shops say so.

Source: https://schema.org/ItemAvailability, Google Merchant's `availability`, Shopify's `inventory_quantity`. What says
nothing understood says nothing: an unusual word never costs an event.
"""

import math
import re
from typing import Annotated, Any, Final

from msgspec import Meta

Said = Annotated[Any, Meta(description="true or false, also as a number or in words; what is neither says nothing")]
Availability = Annotated[
    Any,
    Meta(description="`in stock`, `out of stock` and their like, or a term or URL of schema.org"),
]
Stock = Annotated[Any, Meta(description="pieces left; none left, or less, is out of stock")]

_THERE: Final = frozenset(
    (
        "instock", "available", "limitedavailability", "preorder", "presale", "backorder", "onlineonly", "instoreonly",
        "madetoorder", "true", "yes", "1", "1.0",
    )
)  # fmt: skip
_GONE: Final = frozenset(
    ("outofstock", "soldout", "unavailable", "discontinued", "reserved", "false", "no", "0", "0.0")
)  # fmt: skip
_LONGEST: Final = 64


def in_stock(said: object, availability: object = None, left: object = None) -> bool | None:
    """Whether an item can be bought, None where nothing says so: by a plain word, an `availability`, pieces `left`.

    >>> in_stock(None, "https://schema.org/OutOfStock"), in_stock(None, "in_stock"), in_stock(True, None, 0)
    (False, True, True)
    >>> in_stock(None, None, "3"), in_stock(None, None, -1), in_stock(None, "ask us")
    (True, False, None)
    """
    for word in (said, availability):
        if word is not None:
            plain = _plain(word)
            if plain in _THERE or plain in _GONE:
                return plain in _THERE
    return _some_left(left)


def _plain(word: object) -> str:
    if isinstance(word, bool | int | float):
        return str(word).lower()
    if not isinstance(word, str) or len(word) > _LONGEST:
        return ""
    return re.sub(r"[^a-z0-9.]", "", word.lower().rpartition("/")[2])


def _some_left(left: object) -> bool | None:
    if isinstance(left, bool) or not isinstance(left, int | float | str) or len(str(left)) > _LONGEST:
        return None
    try:
        pieces = float(left)
    except ValueError:
        return None
    return None if math.isnan(pieces) else pieces > 0
