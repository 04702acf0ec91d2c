"""What tests have done to topics on the broker."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.topics import Topic
from stream.settings import Settings


def administer(shop: Settings, act: Callable[[AdminClient], dict[Any, "Future[Any]"]]) -> None:
    """Have something done on the broker, and wait until it is."""
    client = AdminClient({"bootstrap.servers": shop.kafka_brokers})
    for future in act(client).values():
        future.result(30)


def configure(shop: Settings, topic: Topic, settings: dict[str, str]) -> None:
    """Set some of a topic's settings while it is in use."""
    entries = [ConfigEntry(k, v, incremental_operation=AlterConfigOpType.SET) for k, v in settings.items()]
    resource = ConfigResource(ResourceType.TOPIC, shop.topic(topic.name), incremental_configs=entries)
    administer(shop, lambda client: client.incremental_alter_configs([resource]))
