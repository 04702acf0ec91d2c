"""Does a record name a customer? One answer for every topic, whatever the form of its records."""

import json
from collections.abc import Sequence

from schemas.topics import CATALOGUE, DEAD_LETTERS, DECISIONS, ITEMS, MODELS, PENDING, PROFILES
from stream.features.codec import decode_profile, holds
from stream.features.erasure import names
from stream.kafka.dead_letters import original_key
from stream.stages.label import waits_for

# Where the records of Footfall and of the storefront name a customer.
_FIELDS = ("customer", "userId", "anonymousId", "user", "device", "holder", "name")

Headers = Sequence[tuple[str, bytes]]


class Naming:
    """Tells the records that name one customer."""

    def __init__(self, customer: str) -> None:
        self.customer = customer
        self._id = customer.encode()
        # JSON has more than one way to write what is not ASCII, and a slash; a record without any needs no parsing.
        ways = {json.dumps(customer, ensure_ascii=escaped)[1:-1] for escaped in (True, False)}
        self._written = {way.encode() for one in ways for way in (one, one.replace("/", "\\/"))}
        self._quoted = {b'"' + way + b'"' for way in self._written}

    def in_record(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> bool:
        """Whether a record of a topic (named as in `schemas.topics`) names the customer, by its key or in its value."""
        if topic in (MODELS.name, ITEMS.name, CATALOGUE.name):
            return False
        if key is None:
            return self._in_json(value)
        if topic == PENDING.name:
            return waits_for(key, value, self.customer)
        if key == self._id:
            return True
        if topic == PROFILES.name:
            return value is not None and self.in_profile(value)
        if topic == DEAD_LETTERS.name and original_key(headers) == self._id:
            return True
        return topic != DECISIONS.name and self._in_json(value)

    def in_profile(self, value: bytes) -> bool:
        """Whether the stored profile of somebody else names her: a device on which she signed in."""
        if not holds(value, self._id):
            return False
        ids = decode_profile(value).ids
        return ids is not None and names(ids, self.customer)

    def _in_json(self, value: bytes | None) -> bool:
        if not value or not any(way in value for way in self._written):
            return False
        try:
            parsed = json.loads(value)
        except ValueError:
            # Half an event, say: what cannot be read is hers if her id stands in it as a text of its own.
            return any(way in value for way in self._quoted)
        return isinstance(parsed, dict) and any(str(parsed.get(field)) == self.customer for field in _FIELDS)
