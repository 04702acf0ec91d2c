"""The topics as data: name, key, partitioning, retention. `stream.kafka.admin` creates them."""

from dataclasses import dataclass

DAY_MS = 86_400_000
MAX_EVENT_BYTES = 1_000_000
# A deleted record is gone from a compacted topic's files after a day, what deleted it after another.
COMPACTION_MS = DAY_MS
MAX_RECORD_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what its key is, whether it is compacted, how long it is kept, and what it carries.

    A compacted topic keeps each key's newest record, `expires` ones for `retention_ms` at most; a record without a
    value takes its key's from it within `COMPACTION_MS`, and is gone itself as long after. The others are kept whole,
    and are gone a day (a segment's) after their time.
    `single` topics have one partition whatever the installation's count: one consumer owns their order.
    `arrival` topics are stamped by the broker, so that one producer's wrong clock cannot move time.
    """

    name: str
    key: str
    carries: str
    compact: bool = False
    expires: bool = False
    retention_ms: int = 7 * DAY_MS
    single: bool = False
    arrival: bool = False

    def config(self) -> dict[str, str]:
        """Broker-side settings of this topic, as Kafka names them."""
        config = {"max.message.bytes": str(MAX_RECORD_BYTES)}
        if self.compact:
            config |= {
                "cleanup.policy": "compact,delete" if self.expires else "compact",
                "min.cleanable.dirty.ratio": "0.2",
                "max.compaction.lag.ms": str(COMPACTION_MS),
                "segment.ms": str(COMPACTION_MS),
                "delete.retention.ms": str(COMPACTION_MS),
            }
            if self.expires:
                config["retention.ms"] = str(self.retention_ms)
        else:
            config |= {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms), "segment.ms": str(DAY_MS)}
        if self.arrival:
            config["message.timestamp.type"] = "LogAppendTime"
        return config


CLICKSTREAM = Topic("clickstream", "userId, else anonymousId", "Segment-spec events", arrival=True)
ORDERS = Topic("orders", "userId, else anonymousId", "Segment-spec order events", arrival=True)
CATALOGUE = Topic(
    "catalogue", "product_id", "what a shop says of an item: stock, category, brand, price", compact=True, arrival=True
)
OUTCOMES = Topic("outcomes", "customer", "what the retention system did and what came of it", arrival=True)
MERGES = Topic(
    "merges", "the id whose partition must act", "sign-ins on devices, what they carry to the user; erasures"
)
PROFILES = Topic("profiles", "customer", "one profile's state", compact=True)
FEATURES = Topic("features", "customer", "feature snapshots to be scored; without a value: forget her")
INTERACTIONS = Topic(
    "interactions", "customer", "session, item, behaviour, time; without a value: forget her", retention_ms=30 * DAY_MS
)
DECISIONS = Topic("decisions", "customer", "what was said to the customer and when", compact=True)
SCORES = Topic("scores", "customer", "probabilities, model versions, reasons; without a value: forget her")
ALERTS = Topic("alerts", "customer", "alerts with reasons, decision_id, arm and propensity", retention_ms=30 * DAY_MS)
RECOMMENDATIONS = Topic("recommendations", "customer", "ranked items with sources and decision_id")
PENDING = Topic("pending", "customer or prediction", "predictions waiting for their horizon", compact=True)
EXAMPLES = Topic(
    "examples",
    "example id",
    "features at prediction time and the outcome",
    compact=True,
    expires=True,
    retention_ms=730 * DAY_MS,
    single=True,
)
MODELS = Topic("models", "model name", "model snapshots", compact=True, single=True)
ITEMS = Topic("items", "part of the item index", "snapshots of the item index, no customers", compact=True, single=True)
DEAD_LETTERS = Topic(
    "dead-letters",
    "where the event stood",
    "raw bytes; reason, origin and the event's key in headers; and notes, without bytes, of what was replayed",
    compact=True,
    expires=True,
    retention_ms=90 * DAY_MS,
)

TOPICS = (
    CLICKSTREAM,
    ORDERS,
    CATALOGUE,
    OUTCOMES,
    MERGES,
    PROFILES,
    FEATURES,
    INTERACTIONS,
    DECISIONS,
    SCORES,
    ALERTS,
    RECOMMENDATIONS,
    PENDING,
    EXAMPLES,
    MODELS,
    ITEMS,
    DEAD_LETTERS,
)
