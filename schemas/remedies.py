"""Every `Reason` in plain words, and what to do about it: for whoever looks after the dead letters."""

from typing import Final, NamedTuple

from schemas.errors import Reason


class Remedy(NamedTuple):
    """What is wrong, and what mends it; a sentence each."""

    words: str
    advice: str


REMEDIES: Final[dict[Reason, Remedy]] = {
    Reason.NOT_UTF8: Remedy(
        "The bytes are no UTF-8 text.",
        "Have the producer encode its JSON as UTF-8, and send the mended event with --from-file.",
    ),
    Reason.NOT_JSON: Remedy(
        "The text is no JSON.",
        "Look for a producer that cuts events off or builds JSON by hand, and send the event with --from-file.",
    ),
    Reason.MISSING_FIELD: Remedy(
        "A field that this event must have is missing.",
        "Have the producer send it; where you know its value, replay with --set PATH=VALUE.",
    ),
    Reason.WRONG_TYPE: Remedy(
        "A field has the wrong type.",
        "Have the producer send the type that the schema asks for, and replay with --set PATH=VALUE.",
    ),
    Reason.BAD_VALUE: Remedy(
        "A field has a value that it cannot have.",
        "Correct the value with --set PATH=VALUE, or leave the letter where the event never happened.",
    ),
    Reason.NEGATIVE_MONEY: Remedy(
        "An amount of money is negative.",
        "Money that goes back is an Order Refunded event with a positive total; else correct it with --set PATH=VALUE.",
    ),
    Reason.NO_CUSTOMER: Remedy(
        "The event names no customer.",
        "Have the storefront send userId or anonymousId; where you know who it was, replay with --set userId=ID.",
    ),
    Reason.BAD_TIMESTAMP: Remedy(
        "The timestamp cannot be read as a time.",
        "Send ISO 8601, or epoch seconds or milliseconds; replay with --set timestamp=TIME.",
    ),
    Reason.TIMESTAMP_TOO_OLD: Remedy(
        "The timestamp lies before the year 2000: a clock that was not set, or the wrong unit.",
        "Replay with --set timestamp=TIME; the time of arrival, shown here, is the best guess.",
    ),
    Reason.TIMESTAMP_AHEAD: Remedy(
        "The timestamp lies ahead of the event's arrival: a clock that is fast.",
        "Replay with --set timestamp=TIME, or as it is once that time has come.",
    ),
    Reason.TOO_LARGE: Remedy(
        "The event is larger than an event may be.",
        "Have the producer leave out what nobody reads, and send the shortened event with --from-file.",
    ),
    Reason.EMPTY: Remedy(
        "The message has no value.",
        "Nothing can be replayed; look for a producer that sends tombstones or empty bodies.",
    ),
}
