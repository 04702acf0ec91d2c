"""The home partition of a customer: murmur2 of the id, as Java's default partitioner and ours place it."""

from aiokafka.partitioner import murmur2


def home(customer: str, partitions: int) -> int:
    """The partition on which every event of this customer must arrive.

    >>> [home(customer, 4) for customer in ("alpha", "beta", "gamma", "delta")]
    [0, 0, 2, 2]
    """
    hashed: int = murmur2(customer.encode())
    return (hashed & 0x7FFFFFFF) % partitions
