"""What the stages hand to one another and to the world: one type a topic, as JSON. Times are epoch ms.

Ids are deterministic (`make_id`), so that a consumer can drop what a crash made a stage say twice.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.behaviours import Behaviour
from schemas.hashing import hash64

Features = dict[str, float | None]
ALERT_VERSION: Final = 2


def make_id(*parts: object) -> str:
    """The same 16 hexadecimal digits for the same parts, on every worker and after every restart."""
    return f"{hash64('|'.join(map(str, parts))):016x}"


class Moment(Struct, frozen=True, array_like=True, gc=False):
    """One behaviour of the story, as an array: time, behaviour, item, category, amount (major units), pieces, words."""

    at: int
    behaviour: Behaviour
    item: str = ""
    category: str = ""
    amount: float | None = None
    pieces: int = 0
    words: str = ""


class Review(Struct, frozen=True, kw_only=True):
    """A review as it is to be read: its message's deduplication key, when it was written, and its own words, cut."""

    message: int
    at: int
    text: str


class Snapshot(Struct, frozen=True, kw_only=True):
    """`features`: one customer as she was at `at`, worth scoring because of `trigger`; `story` is oldest first.

    `arrived` is when the event that triggered it reached Kafka: the start of the event-to-alert latency. `applied` is
    the customer's last offset in it of each input topic (0 clickstream, 1 orders, 2 merges): exactly which records it
    is made of. `review` is the review that triggered it.
    """

    id: str
    customer: str
    at: int
    trigger: str
    arrived: int
    features: Features
    story: list[Moment]
    cart: list[str] = []
    owned: list[str] = []
    currency: str = ""
    applied: dict[int, int] = {}
    review: Review | None = None


class Ordered(Struct, frozen=True, array_like=True, gc=False):
    """An item of an order, with its category."""

    item: str
    category: str = ""


class Shown(Struct, frozen=True, kw_only=True):
    """A list of recommendations as it was shown: what it is to be judged by when it is known what came of it.

    `items` are best first, each with its source in `sources`; `lead` and `propensity` as in `Recommendation`; `who` is
    what the ranking of sources knew of the customer.
    """

    decision_id: str
    items: list[str]
    sources: list[str]
    lead: str
    propensity: float
    who: list[float]


class Interaction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`interactions`: a customer did something with an item, at `at`, in the session that began at `session`.

    Of a product there are its `category`, `brand`, `price` (minor units of the installation's currency) and `in_stock`
    as far as they were said. `SEARCH` has the words as `query`. `OTHER` with `shown` says that a list was shown to her.

    An order and each change of it give one: `order` is the order's id hash, `items` its items with their categories
    (`item` is empty then), `event` the hash of the message that said it. `amount` (minor units of `currency`) is an
    order's total, the new one for `ORDER_UPDATE`, and what `REFUND` or `CANCEL` takes back (None: all of it).
    `IDENTIFY` says that this customer, a device, was handed to the user who signed in: its predictions end at `at`.
    """

    customer: str
    session: int
    item: str
    behaviour: Behaviour
    at: int
    category: str = ""
    order: int = 0
    items: list[Ordered] = []
    event: int = 0
    amount: int | None = None
    currency: str = ""
    brand: str = ""
    price: int | None = None
    in_stock: bool | None = None
    query: str = ""
    shown: Shown | None = None

    def each(self) -> Iterable["Interaction"]:
        """One interaction an item: an order's are those of its items, any other is its own."""
        if not self.items:
            return (self,)
        replace = msgspec.structs.replace
        return [replace(self, item=line.item, category=line.category, items=[]) for line in self.items]


class Parts(Struct, frozen=True, kw_only=True):
    """One model's probabilities; `value` is the spend it expects in the value horizon (main unit; None: no idea)."""

    churn: float
    intent: float
    value: float | None = None


class Contribution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why: a feature, its value, how far it moved the score (log odds, positive is towards it), and plain words.

    Alerts have them in Chinese too.
    """

    feature: str
    value: float | None
    weight: float
    words: str
    words_zh: str = ""


class Score(Struct, frozen=True, kw_only=True):
    """`scores`: what will this customer do, who says so, and from what.

    `churn` is the probability of no purchase within the churn horizon, `intent` of a purchase within the intent
    horizon, `value` the spend expected within the value horizon. `source` is `ensemble` when BERT took part and
    `online` when it did not, `fallback` then says why. `sentiment` is how content the review reads that triggered it,
    from 0 to 1; None where there is none, or nobody read it. `shadow` is what a version of BERT on trial would
    have said, `learners` what each online learner, and the ensemble, said by target: the candidates to serve.
    `decided` are the kinds of alerts that it gave rise to, those of the held out too (None: an older version's).
    """

    id: str
    customer: str
    at: int
    trigger: str
    arrived: int
    churn: float
    intent: float
    value: float | None = None
    sentiment: float | None = None
    source: str
    fallback: str = ""
    bert: Parts | None = None
    online: Parts | None = None
    shadow: Parts | None = None
    learners: dict[str, dict[str, float]] = {}
    models: dict[str, str]
    reasons: dict[str, list[Contribution]]
    features: Features
    story: str
    decided: list[str] | None = None


class Alert(Struct, frozen=True, kw_only=True):
    """`alerts`: what, why, how sure, what is at stake and what to do. `arm` is `treatment`; holdouts get no alert.

    It is worth acting on until `expires_at`, best at `send_at`. The same `decision_id` is the same alert. A consumer
    ignores fields that it does not know: a `schema_version` adds fields (2: `text_zh`, `words_zh`, `send_at`,
    `expires_at`) and never takes one away or changes what it means; what would have to is another topic.
    """

    decision_id: str
    customer: str
    at: int
    arrived: int
    kind: str
    severity: str
    probability: float
    value_at_stake: float
    currency: str
    action: str
    channel: str
    send_hour: int
    send_at: int = 0
    expires_at: int = 0
    text: str
    text_zh: str = ""
    reasons: list[Contribution]
    arm: str
    propensity: float
    score_id: str
    source: str
    models: dict[str, str]
    schema_version: int = ALERT_VERSION


class Ranked(Struct, frozen=True, kw_only=True):
    """One recommended item: its score, the source that found it, and why in words."""

    item: str
    score: float
    source: str
    words: str


class Recommendation(Struct, frozen=True, kw_only=True):
    """`recommendations`: ranked items for one customer.

    `lead` is the source of the first item, and `propensity` how likely that source was to lead, by the policy that made
    the list: a small share of lists is led by a source drawn by lot. A `schema_version` adds fields (2: these two).
    """

    decision_id: str
    customer: str
    at: int
    trigger: str
    items: list[Ranked]
    lead: str = ""
    propensity: float = 1.0
    models: dict[str, str]
    schema_version: int = 2


class Outcome(Struct, frozen=True, kw_only=True):
    """`outcomes`: what the retention system did with a decision and what came of it, at `at`.

    `what` is `delivered`, `opened`, `clicked`, `converted`, `failed`, or a word of its own. `unsubscribed` ends the
    alerts by `channel` (none named: all but service) to this customer, `subscribed` begins them again.
    """

    decision_id: str = ""
    customer: str
    at: int
    what: str
    channel: str = ""


class Example(Struct, frozen=True, kw_only=True):
    """`examples`: a prediction whose horizon has passed; `target` is `churn`, `intent` or `value`, `label` the outcome.

    Of `value`, `label` says whether she bought at all, `amount` for how much (main unit), and the predictions are
    amounts too. `served`, `bert`, `online` and `learners` are the predictions given then (None: there was none), so
    that weights and metrics are learned on what was served; `shadow` is that of a version on trial, `models` says which
    they were.
    """

    id: str
    customer: str
    at: int
    matured: int
    target: str
    label: bool
    amount: float | None = None
    features: Features
    story: str
    served: float | None
    bert: float | None
    online: float | None
    shadow: float | None = None
    models: dict[str, str] = {}
    learners: dict[str, float] = {}


class ModelSnapshot(Struct, frozen=True, kw_only=True):
    """`models`: a version of the online model and the examples (offset, exclusive) that it has learned."""

    name: str
    version: str
    offset: int
    at: int
    state: dict[str, Any]
    metrics: dict[str, float]


_encoder = msgspec.json.Encoder()


def encode(record: Struct) -> bytes:
    """The record as JSON."""
    return _encoder.encode(record)
