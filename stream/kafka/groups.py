"""Consumer groups: set back to the beginning of what they read."""

from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.errors import OperatorError

_TIMEOUT_S: Final = 30.0


def rewind(brokers: str, group: str) -> list[str]:
    """Set the group back to the beginning of every topic that it has read; the topics' names.

    Raises `OperatorError` while it has members, and where no broker answers.
    """
    client = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    try:
        known = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(_TIMEOUT_S)
        places = [TopicPartition(place.topic, place.partition, 0) for place in known.topic_partitions]
        if places:
            asked = ConsumerGroupTopicPartitions(group, places)
            client.alter_consumer_group_offsets([asked])[group].result(_TIMEOUT_S)
    except KafkaException as error:
        cause = error.args[0]
        if cause.code() in (KafkaError.NON_EMPTY_GROUP, KafkaError.UNKNOWN_MEMBER_ID):
            raise OperatorError(
                f"the group {group} still has workers: stop them first; one that was killed is missed within "
                "FOOTFALL_SESSION_TIMEOUT_S"
            ) from error
        raise OperatorError(
            f"Kafka at {brokers} does not rewind {group} ({cause.str()}); see that it is well"
        ) from error
    return sorted({place.topic for place in places})
