"""Expected failures, each with the `reason` under which it is counted and dead-lettered."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an event could not be used: a metric label, and a header of the dead letter."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_VALUE = "bad_value"
    NEGATIVE_MONEY = "negative_money"
    NO_CUSTOMER = "no_customer"
    BAD_TIMESTAMP = "bad_timestamp"
    TIMESTAMP_TOO_OLD = "timestamp_too_old"
    TIMESTAMP_AHEAD = "timestamp_ahead"
    TOO_LARGE = "too_large"
    EMPTY = "empty"


class FootfallError(Exception):
    """Base of every failure that Footfall expects and explains."""


class Rejected(FootfallError):
    """One event that cannot be used; `path` is the JSON path of the field at fault, `$` for the whole event."""

    def __init__(self, reason: Reason, detail: str, path: str = "$") -> None:
        super().__init__(f"{reason}: {detail} - at `{path}`")
        self.reason = reason
        self.detail = detail
        self.path = path

    def within(self, parent: str) -> "Rejected":
        """The same with its path, which begins inside of something, led by where that is."""
        return Rejected(self.reason, self.detail, parent + self.path)


class OperatorError(FootfallError):
    """Something the operator can mend; the message says what to do. The command line prints it and exits with 1."""
