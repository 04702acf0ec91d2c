"""Money: integer minor units with a currency (ISO 4217), so that sums agree to the cent."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from schemas.errors import Reason, Rejected

# Currencies whose minor unit is not a hundredth (ISO 4217, table A.1).
EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
LIMIT = 10**15
_PLAIN = 1e9


def to_minor(value: int | float | str, currency: str, path: str = "$") -> int:
    """Minor units of an amount, half to even; raises `Rejected` at `path` when it is no number, negative or absurd.

    >>> to_minor("19.99", "USD"), to_minor(1200, "JPY"), to_minor(0.125, "KWD")
    (1999, 1200, 125)
    """
    if type(value) is float and 0 <= value < _PLAIN and currency not in EXPONENTS:
        # The float nearest to a whole number of hundredths names it.
        cents = round(value * 100)
        if cents / 100 == value:
            return cents
    places = EXPONENTS.get(currency, 2)
    if isinstance(value, int):
        minor: int = value * 10**places
    else:
        try:
            # repr of a float is the shortest decimal that names it: 0.285 means 0.285, not its binary neighbour.
            exact = Decimal(value if isinstance(value, str) else repr(value)).scaleb(places)
            minor = int(exact.to_integral_value(rounding=ROUND_HALF_EVEN))
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise Rejected(Reason.BAD_VALUE, f"{value!r} is not an amount of money", path) from error
    if minor < 0:
        raise Rejected(Reason.NEGATIVE_MONEY, f"{value!r} is negative", path)
    if minor > LIMIT:
        raise Rejected(Reason.BAD_VALUE, f"{value!r} is too large an amount", path)
    return minor


def exponent(currency: str) -> int:
    """How many decimal places the currency's minor unit is (ISO 4217)."""
    return EXPONENTS.get(currency, 2)


def to_major(minor: int, currency: str) -> float:
    """The amount in the currency's main unit, for people and for features.

    >>> to_major(1999, "USD"), to_major(1200, "JPY")
    (19.99, 1200.0)
    """
    return float(minor / 10 ** exponent(currency))
