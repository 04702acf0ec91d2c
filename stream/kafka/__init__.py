"""Kafka: the packed transport, the partition store, topics."""
