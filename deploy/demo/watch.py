"""Watching the output topics: counts, the newest alerts and recommendations, the online model's quality."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

import msgspec
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from online.state import NAME
from schemas.outputs import Alert, ModelSnapshot, Recommendation
from schemas.topics import (
    ALERTS,
    DEAD_LETTERS,
    EXAMPLES,
    FEATURES,
    MODELS,
    RECOMMENDATIONS,
    SCORES,
    Topic,
)
from stream.kafka.dead_letters import is_note
from stream.settings import Settings

WATCHED = (FEATURES, SCORES, EXAMPLES, ALERTS, RECOMMENDATIONS, MODELS, DEAD_LETTERS)
_KEPT = 12


class Served(msgspec.Struct):
    """What is read of a score: only who made it, so that counting keeps up."""

    source: str
    fallback: str = ""


class Watch:
    """Counts what a stack says from the moment it is made on. `run` in a thread; read its fields from another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._prefix = len(settings.topic_prefix)
        self.began = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.fallbacks: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.alerts: deque[Alert] = deque(maxlen=_KEPT)
        self.recommendations: deque[Recommendation] = deque(maxlen=_KEPT)
        self.model: ModelSnapshot | None = None
        self.first_alert_s: float | None = None
        self._read: dict[Topic, Callable[[Message], None]] = {
            SCORES: self._score,
            ALERTS: self._alert,
            RECOMMENDATIONS: self._recommendation,
            MODELS: self._version,
            DEAD_LETTERS: self._dead_letter,
        }
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka_brokers,
                "group.id": "footfall-watch",
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 8 * 1024 * 1024,
            }
        )
        self._assign()

    def _assign(self) -> None:
        places = []
        for topic in WATCHED:
            name = self._settings.topic(topic.name)
            found = self._consumer.list_topics(name, timeout=30).topics[name]
            # The newest model may have been published before; all else counts from now.
            start = OFFSET_BEGINNING if topic is MODELS else OFFSET_END
            for number in found.partitions:
                end = start
                if start == OFFSET_END:
                    # Resolved here and now, not at the first fetch: nothing said in between is missed.
                    end = self._consumer.get_watermark_offsets(TopicPartition(name, number), timeout=30)[1]
                places.append(TopicPartition(name, number, end))
        self._consumer.assign(places)

    def run(self, stop: threading.Event) -> None:
        """Count until `stop` is set and what was there by then is read."""
        topics = {self._settings.topic(topic.name): topic for topic in WATCHED}
        try:
            while True:
                messages = self._consumer.consume(500, 0.2)
                for message in messages:
                    self._take(topics, message)
                if stop.is_set() and not messages:
                    return
        finally:
            self._consumer.close()

    def _take(self, topics: dict[str, Topic], message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaException(error)
            return
        topic = topics[str(message.topic())]
        if message.value() is None or (topic == DEAD_LETTERS and is_note(message)):
            return
        self.counts[topic.name] += 1
        read = self._read.get(topic)
        if read is not None:
            read(message)

    def _score(self, message: Message) -> None:
        score = msgspec.json.decode(message.value() or b"", type=Served)
        self.sources[score.source] += 1
        if score.fallback:
            self.fallbacks[score.fallback] += 1

    def _alert(self, message: Message) -> None:
        alert = msgspec.json.decode(message.value() or b"", type=Alert)
        self.alerts.append(alert)
        self.kinds[alert.kind] += 1
        if self.first_alert_s is None and alert.source == "ensemble":
            self.first_alert_s = time.monotonic() - self.began

    def _recommendation(self, message: Message) -> None:
        self.recommendations.append(msgspec.json.decode(message.value() or b"", type=Recommendation))

    def _version(self, message: Message) -> None:
        if message.key() == NAME.encode():
            self.model = msgspec.json.decode(message.value() or b"", type=ModelSnapshot)

    def _dead_letter(self, message: Message) -> None:
        headers = dict(message.headers() or [])
        self.reasons[(headers.get("footfall-reason") or b"?").decode()] += 1
