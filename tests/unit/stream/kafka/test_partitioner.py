"""Where a customer lives: the same place as every other client of Kafka gives her."""

from aiokafka.partitioner import murmur2 as known
from hypothesis import given
from hypothesis import strategies as st

from stream.kafka.partitioner import murmur2


@given(st.binary(max_size=70))
def test_the_hash_is_that_of_kafka_s_other_clients(data: bytes) -> None:
    assert murmur2(data) == known(data) & 0xFFFFFFFF
