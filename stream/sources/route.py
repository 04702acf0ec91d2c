"""Where an event goes: its topic by its name, its key by its customer.

The key is `userId`, else `anonymousId`: everything of one customer meets in one partition.
"""

from typing import Any

from schemas.events import EVENTS
from schemas.topics import CLICKSTREAM


def topic_of(event: object) -> str:
    """The topic of an event's name; what is unknown, a page or an identify goes to the clickstream."""
    spec = EVENTS.get(event) if isinstance(event, str) else None
    return CLICKSTREAM.name if spec is None else spec.topic


def key_of(message: dict[str, Any]) -> bytes | None:
    """The customer that a message names, None where it names none."""
    for field in ("userId", "anonymousId"):
        value = message.get(field)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value).encode()
    return None
