"""Times as they come on the wire, as epoch milliseconds."""

import datetime
from typing import Final

from schemas.errors import Reason, Rejected

EARLIEST: Final = 946_684_800_000  # 2000-01-01: before it, a timestamp is a unit mistake or an unset clock.
LATEST: Final = 253_402_300_799_999  # The end of the year 9999, where ISO 8601 without an agreement ends.

_utc = datetime.UTC
_iso = datetime.datetime.fromisoformat
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_utc)


def parse_time(value: str | int | float) -> int:
    """Epoch milliseconds of an ISO 8601 text (no zone means UTC), or of epoch seconds or milliseconds.

    >>> parse_time("2024-05-01T12:00:00Z") == parse_time(1714564800) == parse_time(1714564800000)
    True
    """
    at = epoch_ms(value)
    if EARLIEST <= at <= LATEST:
        return at
    if at > LATEST:
        raise Rejected(Reason.BAD_TIMESTAMP, f"{value!r} lies after the year 9999", "$.timestamp")
    raise Rejected(Reason.TIMESTAMP_TOO_OLD, f"{value!r} lies before the year 2000", "$.timestamp")


def epoch_ms(value: str | int | float) -> int:
    """`parse_time` for any year: a clock that was never set is good enough to measure a span with."""
    try:
        if isinstance(value, str):
            moment = _iso(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=_utc)
            since = moment - _EPOCH
            micros = since.microseconds
            millis = micros // 1000 if micros % 1000 == 0 else round(micros / 1000)
            return (since.days * 86_400 + since.seconds) * 1000 + millis
        return round(value * 1000) if abs(value) < 1e11 else round(value)
    except (ValueError, OverflowError) as error:
        raise Rejected(Reason.BAD_TIMESTAMP, f"{value!r} is no time", "$.timestamp") from error
