"""The alerts in `schemas/examples/alerts.json`: what the decisions say today, and what the schema allows.

Run as a program it writes the file anew.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import orjson
from jsonschema import Draft202012Validator

from online.alerts import KINDS, Policy, decide
from online.said import Said
from online.words import say
from schemas import export
from schemas.features import DAY_MS, HOUR_MS
from schemas.outputs import ALERT_VERSION, Alert, Contribution, Features, Score

FILE: Final = Path(export.__file__).parent / "examples" / "alerts.json"
AT: Final = 20_600 * DAY_MS + 11 * HOUR_MS
REGULAR: Final[Features] = {
    "orders_total": 5.0, "spend_total": 250.0, "order_value_mean": 50.0, "gap_mean_days": 13.0, "overdue": 2.62,
    "days_since_order": 34.0, "orders_30d": 0.0, "views_7d": 9.0, "session_depth": 6.0,
}  # fmt: skip
CART: Final[Features] = {"cart_pieces": 2.0, "cart_value": 118.0, "cart_age_hours": 1.0}
CASES: Final[dict[str, tuple[str, Features, float, float]]] = {
    "churn_risk": ("silence_30", REGULAR, 0.81, 0.06),
    "vip_at_risk": ("silence_30", REGULAR | {"orders_total": 14.0, "spend_total": 940.0}, 0.62, 0.12),
    "purchase_overdue": ("overdue", REGULAR | {"days_since_order": 20.0, "overdue": 1.54}, 0.28, 0.31),
    "cart_abandoned": ("cart_abandoned", REGULAR | CART | {"overdue": 0.5}, 0.2, 0.42),
    "high_intent": ("cart", REGULAR | CART | {"overdue": 0.5}, 0.1, 0.83),
    "bad_review": ("review", REGULAR | {"rating_last": 1.0, "rating_mean": 3.5, "overdue": 0.5}, 0.3, 0.2),
}
WHY: Final = {"churn": (("overdue", 0.9), ("orders_30d", 0.3)), "intent": (("views_7d", 0.5),)}


def reasons(features: Features, target: str) -> list[Contribution]:
    return [
        Contribution(feature=name, value=features[name], weight=weight, words=say(name, features[name]))
        for name, weight in WHY[target]
    ]


def example(kind: str) -> Alert:
    trigger, features, churn, intent = CASES[kind]
    score = Score(
        id="5f1d6a0c3b9e7f42", customer="u-1042", at=AT, trigger=trigger, arrived=AT + 180, churn=churn, intent=intent,
        source="ensemble", models={"bert": "footfall-bert-1", "online": "r48211"}, features=features, story="",
        reasons={target: reasons(features, target) for target in WHY},
    )  # fmt: skip
    (alert,), _ = decide(score, "EUR", Said(), Policy(), usual_hour=19)
    return alert


def written() -> bytes:
    records = [msgspec.to_builtins(example(kind)) for kind in CASES]
    return orjson.dumps(records, option=orjson.OPT_INDENT_2) + b"\n"


def test_there_is_one_of_each_kind_as_it_is_said_today() -> None:
    assert set(CASES) == set(KINDS)
    assert [example(kind).kind for kind in CASES] == list(CASES)
    assert FILE.read_bytes() == written(), f"run: python {Path(__file__).name}"


def test_the_schema_allows_them() -> None:
    validator = Draft202012Validator(export.record_schema("alerts"))
    for record in orjson.loads(FILE.read_bytes()):
        validator.validate(record)
        assert record["schema_version"] == ALERT_VERSION


def test_readers_of_either_version_read_the_other_s() -> None:
    """A field that is missing has a default, and one that is not known is ignored: nothing else may ever change."""
    for record in orjson.loads(FILE.read_bytes()):
        assert msgspec.convert({**record, "of_a_later_version": 1}, Alert) == msgspec.convert(record, Alert)
        first: dict[str, Any] = {k: v for k, v in record.items() if k not in ("text_zh", "send_at", "expires_at")}
        first["reasons"] = [{k: v for k, v in why.items() if k != "words_zh"} for why in record["reasons"]]
        first["schema_version"] = 1
        old = msgspec.convert(first, Alert)
        assert (old.text, old.text_zh, old.expires_at) == (record["text"], "", 0)
        Draft202012Validator(export.record_schema("alerts")).validate(first)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(written())
