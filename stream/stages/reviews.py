"""Reviews, read by BERT: what one says goes into its score at once, and by an event of its own into the profile.

::

    Product Reviewed ─> [profile] ─ snapshot with the review ─> [score] ─ score, alert
                            ^                                      │
                            └────────── Review Scored ─────────────┘     (through clickstream, as from any producer)

The event bears the review's customer and time, and an id that follows from the review: read again after a crash, or
replayed with the log, a review is known once. It goes by the name of `anonymousId` whoever she is, as it must never say
that an id is a userId; what a device reviewed before its user signed in follows her like any event that comes late.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from inference.scorer import Scorer, Unavailable
from inference.story import review as readable
from schemas.outputs import Snapshot, make_id
from schemas.topics import CLICKSTREAM
from stream import metrics
from stream.kafka.state import Out

EVENT: Final = "Review Scored"
_DIGITS: Final = 4


async def read(snapshots: Sequence[Snapshot], scorer: Scorer, within_s: float | None = None) -> dict[str, float]:
    """How content the snapshots' reviews read, 0 to 1, by snapshot's id; none of those without words.

    None at all while BERT does not answer `within_s` (None: there is time), or has no head for it: the stars then speak
    for themselves.
    """
    asked = {one.id: one.review.text for one in snapshots if one.review is not None and readable(one.review.text)}
    if not asked:
        return {}
    try:
        async with asyncio.timeout(within_s):
            contents = await scorer.score_reviews(list(asked.values()))
    except (TimeoutError, Unavailable) as error:
        metrics.UNREAD.labels(getattr(error, "reason", "slow")).inc(len(asked))
        return {}
    metrics.READ.inc(len(asked))
    return {name: round(content, _DIGITS) for name, content in zip(asked, contents, strict=True)}


def tell(snapshot: Snapshot, content: float, out: Out) -> None:
    """Send what the snapshot's review says to its customer's profile."""
    review = snapshot.review
    assert review is not None, "only what has a review was read"
    event = {
        "type": "track",
        "event": EVENT,
        "messageId": make_id(snapshot.customer, EVENT, review.message),
        "anonymousId": snapshot.customer,
        "timestamp": review.at,
        "properties": {"sentiment": content},
    }
    out(CLICKSTREAM.name, snapshot.customer.encode(), msgspec.json.encode(event))
