"""From a request's JSON to records for Kafka: completed, checked and routed, all of them or none.

Source: Segment's HTTP tracking API, https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/.
"""

import datetime
from collections.abc import Callable
from typing import Any, Final

import orjson

from schemas.decode import decode
from schemas.errors import Reason, Rejected
from schemas.hashing import hash64
from schemas.times import epoch_ms
from stream.collector.refusal import Refused, join
from stream.sources.event import SourceEvent
from stream.sources.route import topic_of

MAX_MESSAGE: Final = 32 * 1024


class Reader:
    """Reads bodies; `currency` is assumed where none is named, `ahead_ms` is how far ahead a time may lie.

    `new_id` names a message that has neither a messageId nor a time: nothing else tells it from its like.
    """

    def __init__(self, currency: str, ahead_ms: int, new_id: Callable[[], str]) -> None:
        self._currency = currency
        self._ahead_ms = ahead_ms
        self._new_id = new_id

    def batch(self, body: dict[str, Any], received: int) -> list[SourceEvent]:
        """The records of `/v1/batch`; `received` is epoch ms. Raises `Refused` for the first broken message."""
        messages = body.get("batch")
        if messages is None:
            raise Refused(400, Reason.MISSING_FIELD, "`batch` is required", "batch")
        if not isinstance(messages, list):
            raise Refused(400, Reason.WRONG_TYPE, "`batch` is a list of messages", "batch")
        skew = _skew(body.get("sentAt"), received, "sentAt")
        context = body.get("context")
        records = []
        for number, message in enumerate(messages):
            where = f"batch[{number}]"
            if not isinstance(message, dict):
                raise Refused(400, Reason.WRONG_TYPE, "a message is a JSON object", where)
            own = message.get("context")
            if isinstance(context, dict) and (own is None or isinstance(own, dict)):
                message["context"] = context | (own or {})
            records.append(self._record(message, received, skew, where))
        return records

    def one(self, message: dict[str, Any], kind: str, received: int) -> list[SourceEvent]:
        """The record of `/v1/track` and its like; `kind` is the type that the path says."""
        message["type"] = kind
        return [self._record(message, received, None, "")]

    def _record(self, message: dict[str, Any], received: int, skew: int | None, where: str) -> SourceEvent:
        message.pop("writeKey", None)
        original = orjson.dumps(message)
        if len(original) > MAX_MESSAGE:
            detail = f"{len(original)} bytes; a message has at most {MAX_MESSAGE}"
            raise Refused(400, Reason.TOO_LARGE, detail, where or "$")
        if skew is None:
            skew = _skew(message.get("sentAt"), received, join(where, "$.sentAt"))
        self._complete(message, original, received, skew or 0, where)
        value = orjson.dumps(message)
        try:
            event = decode(value, self._currency)
        except Rejected as rejected:
            raise Refused.of(rejected, where) from None
        if event.at > received + self._ahead_ms:
            detail = f"{message['timestamp']} lies ahead of the time it was received"
            raise Refused(400, Reason.TIMESTAMP_AHEAD, detail, join(where, "$.timestamp"))
        name = message.get("event") if message["type"] == "track" else None
        return SourceEvent(topic_of(name), event.customer.encode(), value, event.at)

    def _complete(self, message: dict[str, Any], original: bytes, received: int, skew: int, where: str) -> None:
        stamp = message.get("timestamp")
        if stamp is None:
            stamp = message.get("originalTimestamp")
        if not message.get("messageId"):
            # With its own time in it a message's bytes are its identity: sent twice, it is one event.
            message["messageId"] = self._new_id() if stamp is None else f"auto-{hash64(original):016x}"
        message["receivedAt"] = iso(received)
        if stamp is None:
            message["timestamp"] = iso(received)
        else:
            message["originalTimestamp"] = stamp
            message["timestamp"] = _moved(stamp, skew, where)


def iso(at: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC.

    >>> iso(1714564800123)
    '2024-05-01T12:00:00.123Z'
    """
    moment = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def _skew(sent: object, received: int, path: str) -> int | None:
    """How far the sender's clock is behind ours, transport included, in ms; None where it is not said."""
    if sent is None:
        return None
    return received - _epoch(sent, path)


def _moved(stamp: object, skew: int, where: str) -> str:
    path = join(where, "$.timestamp")
    at = _epoch(stamp, path) + skew
    try:
        return iso(at)
    except (ValueError, OverflowError, OSError):
        raise Refused(400, Reason.BAD_TIMESTAMP, f"{stamp!r} is no time", path) from None


def _epoch(stamp: object, path: str) -> int:
    if isinstance(stamp, bool) or not isinstance(stamp, str | int | float):
        raise Refused(400, Reason.WRONG_TYPE, "a time is ISO 8601 text, or epoch seconds or milliseconds", path)
    try:
        return epoch_ms(stamp)
    except Rejected as rejected:
        raise Refused(400, rejected.reason, rejected.detail, path) from None
