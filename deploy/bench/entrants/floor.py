"""floor: consume with confluent-kafka and parse the JSON. What any Python consumer costs, and nothing else."""

import orjson
from confluent_kafka import Consumer, KafkaException

from deploy.bench.job import Job, Marks

BATCH = 10_000


def main() -> None:
    """Read to the end, and commit."""
    job = Job.given()
    consumer = Consumer(
        {
            "bootstrap.servers": job.brokers,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 3_000,
            "fetch.message.max.bytes": 4 * 1024 * 1024,
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
