"""The report as plain data: what `--json` prints, and what the page and the terminal show. Times are epoch ms."""

from msgspec import Struct


class Reasons(Struct, frozen=True):
    """Why a score is what it is: the features in words with their weights (log odds), for one target."""

    target: str
    words: list[str]
    weights: list[float]


class Point(Struct, frozen=True):
    """One score."""

    at: int
    trigger: str
    churn: float
    intent: float
    value: float | None
    source: str
    fallback: str
    reasons: list[Reasons]


class Week(Struct, frozen=True):
    """What was ordered in the week that begins at `start` (a Monday, UTC), and what is left of it."""

    start: int
    orders: int
    spend: float


class Line(Struct, frozen=True):
    """One line of the timeline: what happened (`kind` groups its colour), and details."""

    at: int
    kind: str
    what: str
    detail: str = ""


class After(Struct, frozen=True):
    """Orders within so many days after an alert, their worth, and the days until the first (None: none yet)."""

    days: int
    orders: int
    spend: float
    first_days: float | None


class Sent(Struct, frozen=True):
    """An alert, what the retention system said came of it, and what she bought then."""

    at: int
    decision_id: str
    kind: str
    severity: str
    text: str
    action: str
    channel: str
    probability: float
    value_at_stake: float
    reasons: list[str]
    outcomes: list[str]
    after: After


class Judged(Struct, frozen=True):
    """A prediction whose horizon is over: what was served, and what happened (`amount` of value)."""

    at: int
    target: str
    served: float | None
    label: bool
    amount: float | None


class Item(Struct, frozen=True):
    """A recommended item, and why."""

    item: str
    source: str
    words: str


class Told(Struct, frozen=True):
    """A feature with its value, in words."""

    name: str
    value: float | None
    words: str


class Report(Struct, frozen=True, kw_only=True):
    """One customer as of `as_of`. `rhythm` counts behaviours by weekday (7, from Monday) and hour (24), UTC.

    `asked` is the id that was asked for: a device's of hers, it may be. `features` are by theme. `searched` says how
    many records of each topic were read, of how many there are.
    """

    customer: str
    asked: str
    devices: list[str]
    signed_in: bool
    as_of: int
    first: int
    last: int
    events: int
    currency: str
    holdout: bool
    segment: str
    segment_rule: str
    features: dict[str, list[Told]]
    scores: list[Point]
    weeks: list[Week]
    rhythm: list[list[int]]
    timeline: list[Line]
    alerts: list[Sent]
    judged: list[Judged]
    recommended_at: int | None
    recommended: list[Item]
    searched: dict[str, dict[str, int]]
    schema_version: int = 1
