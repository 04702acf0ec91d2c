"""Groups of customers: new, regular and lapsed, and of Complete Journey what is known of the household."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.train.examples import Row

NEW_ORDERS = 3
LAPSED_DAYS = 30


def slices(rows: Sequence[Row], source: str) -> dict[str, dict[str, Any]]:
    """Masks over the rows, by kind of group and name."""
    told = {"customer": _stages(rows)}
    if source == "completejourney":
        from stream.sources.completejourney import CUSTOMER_PREFIX, demographics

        whose = [row.snapshot.customer.removeprefix(CUSTOMER_PREFIX) if row.snapshot else "" for row in rows]
        for kind, groups in demographics().items():
            values = np.array([groups.get(household, "") for household in whose])
            told[kind] = {value: values == value for value in sorted(set(values) - {""})}
    return told


def _stages(rows: Sequence[Row]) -> dict[str, Any]:
    """New: fewer than 3 orders; lapsed: none for 30 days; regular: the others."""
    features = [row.snapshot.features if row.snapshot else {} for row in rows]
    new = np.array([(f.get("orders_total") or 0) < NEW_ORDERS for f in features])
    lapsed = ~new & np.array([(f.get("days_since_order") or 0) >= LAPSED_DAYS for f in features])
    return {"new": new, "regular": ~new & ~lapsed, "lapsed": lapsed}
