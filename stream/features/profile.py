"""The state of one customer: only sums, maxima and newest-K lists, so that the order of events cannot matter.

Each list holds the newest K by (time, message), whatever order they came in; what is derived from them (session,
cart, gaps, affinities, story) is computed when a snapshot is taken. See `stream.features.apply` for the updates.
"""

from dataclasses import dataclass, field

from stream.features.ids import Identity
from stream.features.kept import CartOp, Entry, Moment, Sentiment

STORY = 32  # behaviours kept: bounds session depth, affinities and BERT's story
LEDGER = 24  # orders kept: bounds order deduplication, refunds of known orders, purchase gaps
CART = 32  # cart changes kept since an order last emptied the cart
OWNED = 32  # bought items kept
REVIEWS = 8  # reviews kept of which it is known how content they read
SEEN = 128  # message ids kept: a repeat is recognised among the customer's last 128 messages,
SEEN_DAYS = 7  # of so many days before her newest behaviour: as long as the logs are kept

UNSTORED = {"stored": False}  # says of a field that it is none of the store's


@dataclass(slots=True)
class Profile:
    """One customer. Times are epoch ms, money minor units; `applied` is the last offset it holds per input topic.

    `habits` counts events by quarter of the day (4) and by weekday (7, from Monday). `settled` is when the last order
    emptied the cart, whatever became of that order: a maximum, so that cart changes before it can be forgotten. `seen`
    holds, for each message, the day of her newest behaviour then. `overdue` is when her next order is, by her rhythm.
    `known`: her id has come as a userId; `ids` is there once it has been linked with another id.

    Not stored: `armed` is when the engine looks at her timers next (0: never), and `dirty` that she is to be written.
    """

    customer: str
    first: int = 0
    last: int = 0
    touched: int = 0
    events: int = 0
    counters: dict[int, int] = field(default_factory=dict)
    viewed: int = 0
    searched: int = 0
    added: int = 0
    checked_out: int = 0
    story: list[Moment] = field(default_factory=list)
    cart: list[CartOp] = field(default_factory=list)
    orders: dict[int, Entry] = field(default_factory=dict)
    owned: dict[str, int] = field(default_factory=dict)
    orders_total: int = 0
    money: dict[str, int] = field(default_factory=dict)
    paid: int = 0
    returned: int = 0
    habits: list[int] = field(default_factory=lambda: [0] * 11)
    browsed: int = 0
    mobile: int = 0
    campaign: int = 0
    reviews: int = 0
    ratings: float = 0.0
    rating: tuple[int, int, float] = (0, 0, 0.0)
    sentiments: list[Sentiment] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    applied: dict[int, int] = field(default_factory=dict)
    scored: int = 0
    fired: int = 0
    settled: int = 0
    overdue: int = 0
    known: bool = False
    ids: Identity | None = None
    armed: int = field(default=0, compare=False, repr=False, metadata=UNSTORED)
    dirty: bool = field(default=False, compare=False, repr=False, metadata=UNSTORED)

    @property
    def last_order(self) -> int:
        """When the newest order was placed that still stands; 0 if there is none."""
        return max((e.at for e in self.orders.values() if e.placed and not e.cancelled), default=0)
