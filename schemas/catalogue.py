"""`catalogue`: what a shop itself says of its items, whoever looks at them: the newest record of an item stands."""

from msgspec import Struct

from schemas.events import Id, Number
from schemas.stock import Availability, Said, Stock


class CatalogueItem(Struct, frozen=True, kw_only=True):
    """`catalogue`: an item as it is now, keyed by its id; a record without a value says that it is sold no more.

    Whether it can be bought is said by `in_stock`, else `availability`, else `inventory_quantity`; with none of them
    it stays as it was. Without `currency` the `price` is in the installation's.
    """

    product_id: Id
    category: str | None = None
    brand: str | None = None
    price: Number | None = None
    currency: str | None = None
    in_stock: Said = None
    availability: Availability = None
    inventory_quantity: Stock = None
