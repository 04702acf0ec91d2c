"""A consumer group as the broker sees it."""

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from stream.settings import Settings


def shares(settings: Settings, group: str) -> int:
    """How many members have partitions; 0 while the group is not stable, or one of them has none."""
    client = AdminClient({"bootstrap.servers": settings.kafka_brokers, "log_level": 0})
    found = client.describe_consumer_groups([group])[group].result(10)
    sizes = [len(member.assignment.topic_partitions) for member in found.members]
    return len(sizes) if found.state == ConsumerGroupState.STABLE and all(sizes) else 0
