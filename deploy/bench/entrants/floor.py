"""floor: consume with confluent-kafka as it comes, and parse the JSON. What people get, and nothing else.

Most of its time it waits: librdkafka fetches nothing for a second, by default, once its queue is full.
"""

import orjson
from confluent_kafka import Consumer, KafkaException

from deploy.bench.job import Job, Marks

BATCH = 10_000


def main(**more: int) -> None:
    """Read to the end, and commit; `more` are settings of the consumer's."""
    job = Job.given()
    consumer = Consumer(
        {
            "bootstrap.servers": job.brokers,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 3_000,
            "fetch.message.max.bytes": 4 * 1024 * 1024,
            **more,
        }
    )
    marks = Marks(job.total, lambda: consumer.commit(asynchronous=False))
    consumer.subscribe([job.topic("clickstream"), job.topic("orders")])
    left = job.total
    while left:
        messages = consumer.consume(BATCH, 0.1)
        if messages:
            marks.begin()
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            orjson.loads(message.value() or b"{}")
        left -= len(messages)
        marks.done(len(messages))
    consumer.close()


if __name__ == "__main__":
    main()
