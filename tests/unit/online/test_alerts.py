"""Each kind of alert: when it is raised, what it says, and when it keeps quiet."""

from typing import Any

import msgspec
import pytest

from online.alerts import KINDS, Policy, arm, decide
from online.policies.base import Marks
from online.said import Last, Said, decode_said
from online.words import say as say_feature
from schemas.features import DAY_MS, HOUR_MS
from schemas.outputs import Alert, Contribution, Features, Score, make_id

REGULAR: Features = {
    "orders_total": 5.0, "spend_total": 250.0, "order_value_mean": 50.0, "gap_mean_days": 13.0, "overdue": 2.6,
    "days_since_order": 34.0, "hour": 9.0, "hour_share": 0.6, "cart_pieces": 0.0,
}  # fmt: skip
VIP: Features = REGULAR | {"orders_total": 14.0, "spend_total": 900.0}


def because(feature: str, value: float, weight: float) -> Contribution:
    return Contribution(feature=feature, value=value, weight=weight, words=say_feature(feature, value))


def make_score(trigger: str, features: Features | None = None, day: float = 100.0, **changes: Any) -> Score:
    at = round(day * DAY_MS)
    score = Score(
        id=f"s{day}{trigger}", customer="ann", at=at, trigger=trigger, arrived=at + 5, churn=0.1, intent=0.1,
        source="ensemble", models={"bert": "1", "online": "r5"}, story="", features=features or REGULAR,
        reasons={
            "churn": [
                because("orders_90d", 4.0, -0.3),
                because("overdue", 2.6, 0.9),
            ],
            "intent": [because("views_1h", 9.0, 0.4)],
        },
    )  # fmt: skip
    return msgspec.structs.replace(score, **changes)


def kinds(alerts: list[Alert]) -> list[str]:
    return [alert.kind for alert in alerts]


def say(score: Score, said: Said | None = None, **policy: Any) -> tuple[list[Alert], Said]:
    return decide(score, "EUR", said or Said(), Policy(holdout_share=0.0, **policy))


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (make_score("silence_30", churn=0.8), ["churn_risk"]),
        (make_score("silence_30", churn=0.8, features=VIP), ["vip_at_risk"]),
        (make_score("silence_30", churn=0.6, features=VIP), ["vip_at_risk"]),
        # An early warning is worth more than one after a month, and a week's silence says nothing yet.
        (make_score("silence_30", churn=0.59, features=VIP | {"overdue": 1.0}), []),
        (make_score("silence_14", churn=0.3, features=VIP | {"days_since_order": 14.0}), ["vip_at_risk"]),
        (make_score("silence_14", churn=0.3, features=REGULAR | {"days_since_order": 14.0}), ["churn_risk"]),
        (make_score("overdue", churn=0.9, features=REGULAR | {"days_since_order": 13.9, "overdue": 1.0}), []),
        (make_score("overdue", churn=0.9, features=VIP | {"days_since_order": 13.9, "overdue": 1.0}), []),
        (make_score("overdue", churn=0.3), ["purchase_overdue"]),
        # Who will probably come by herself needs no reminder.
        (make_score("overdue", churn=0.3, intent=0.5), ["purchase_overdue"]),
        (make_score("overdue", churn=0.3, intent=0.51), []),
        (make_score("overdue", churn=0.3, features=REGULAR | {"orders_total": 2.0}), []),
        (make_score("overdue", churn=0.3, features=REGULAR | {"overdue": None}), []),
        (make_score("engaged", intent=0.8), ["high_intent"]),
        (make_score("order", intent=0.8), []),
        (make_score("silence_30", churn=0.9, features={"orders_total": 0.0}), []),
        (make_score("cart_abandoned", features=REGULAR | {"cart_pieces": 2.0, "overdue": 0.5}), ["cart_abandoned"]),
        (make_score("cart_abandoned", features=REGULAR | {"overdue": 0.5}), []),
        (make_score("review", features=REGULAR | {"rating_last": 1.0}), ["bad_review"]),
        (make_score("review", features=REGULAR | {"rating_last": 4.0}), []),
        # Bitter words speak whatever the stars say, or where there are none; kind ones silence no bad stars.
        (make_score("review", features=REGULAR | {"rating_last": 5.0}, sentiment=0.05), ["bad_review"]),
        (make_score("review", features=REGULAR | {"rating_last": 0.0}, sentiment=0.05), ["bad_review"]),
        (make_score("review", features=REGULAR | {"rating_last": 1.0}, sentiment=0.95), ["bad_review"]),
        (make_score("review", features=REGULAR | {"rating_last": 3.0}, sentiment=0.3), []),
        (make_score("review", features=REGULAR | {"rating_last": 0.0}), []),
        # There is no business to lose with who never bought, or sends most of it back.
        (make_score("review", features=REGULAR | {"rating_last": 1.0, "orders_total": 0.0}), []),
        (make_score("review", features=REGULAR | {"rating_last": 1.0, "refund_share": 0.8}), []),
        (make_score("session_end", features=REGULAR | {"rating_last": 1.0, "overdue": 0.5}), []),
    ],
)
def test_which_score_raises_what(score: Score, expected: list[str]) -> None:
    assert kinds(say(score)[0]) == expected


@pytest.mark.parametrize("features", [REGULAR, VIP])
@pytest.mark.parametrize(
    ("source", "models", "speaks"),
    [
        ("online", {"online": "r0"}, False),
        ("online", {"online": "r999"}, False),
        ("online", {"online": "r1000"}, True),
        ("online", {}, False),
        ("ensemble", {"online": "r0", "bert": "1"}, True),
    ],
)
def test_a_model_that_has_learned_nothing_warns_of_nobody(
    source: str, models: dict[str, str], speaks: bool, features: Features
) -> None:
    score = make_score(
        "silence_14", features | {"overdue": 0.5, "days_since_order": 14.0}, churn=0.5, source=source, models=models
    )
    assert bool(say(score)[0]) == speaks


def test_an_alert_says_what_why_how_sure_what_it_is_worth_and_what_to_do() -> None:
    score = make_score("silence_30", day=100.375, churn=0.8)
    (alert,), _ = say(score)
    assert alert.decision_id == make_id("ann", "churn_risk", score.id)
    assert (alert.at, alert.arrived, alert.score_id, alert.source) == (score.at, score.arrived, score.id, "ensemble")
    # 91 days at a gap of 13 are 7 orders of 50.
    assert (alert.probability, alert.value_at_stake, alert.severity) == (0.8, 350.0, "high")
    assert (alert.action, alert.channel, alert.send_hour) == ("send_win_back_offer", "email", 9)
    assert alert.text == (
        "This customer, who last ordered 34 days ago, will with 80% probability not buy again soon: "
        "a win-back offer could save 350.00 EUR a quarter."
    )
    assert alert.text_zh == (
        "这位顾客上次下单在34天前，有80%的概率近期不再购买：发送挽回优惠，每季度可能挽回350.00 EUR。"
    )
    assert [(r.words, r.words_zh) for r in alert.reasons] == [
        ("34 days since the last order", "距上次下单34天"),
        ("2.6 times the usual gap since the last order", "距上次下单的时间是平时间隔的2.6倍"),
    ]
    assert (alert.send_at, alert.expires_at) == (score.at, score.at + 14 * DAY_MS)
    assert (alert.arm, alert.propensity) == ("treatment", 1.0)


def test_the_value_that_a_model_expects_counts_where_it_is_more() -> None:
    assert [
        say(make_score("silence_30", churn=0.8, value=value))[0][0].value_at_stake for value in (None, 20.0, 900.0)
    ] == [350.0, 350.0, 900.0]


def test_what_is_for_later_waits_for_her_usual_hour_and_what_is_for_now_does_not() -> None:
    score = make_score("cart_abandoned", REGULAR | {"cart_pieces": 2.0}, 100.5, churn=0.8, intent=0.3)
    alerts, _ = decide(score, "EUR", Said(), Policy(holdout_share=0.0), usual_hour=7)
    assert [(a.kind, a.send_hour, a.send_at) for a in alerts] == [
        ("churn_risk", 7, 101 * DAY_MS + 7 * HOUR_MS),
        ("cart_abandoned", 12, score.at),
    ]


@pytest.mark.parametrize(("intent", "expected"), [(0.05, []), (0.4, ["cart_abandoned"]), (0.9, [])])
def test_a_cart_is_reminded_of_where_a_reminder_can_help(intent: float, expected: list[str]) -> None:
    cart = REGULAR | {"cart_pieces": 2.0, "overdue": 0.5}
    assert kinds(say(make_score("cart_abandoned", cart, intent=intent))[0]) == expected


@pytest.mark.parametrize("churn", [0.3, 0.9])
def test_after_an_order_silence_is_another_silence(churn: float) -> None:
    usual = REGULAR | {"overdue": 0.5}
    _, said = say(make_score("silence_14", usual, 1, churn=0.8))
    _, said = say(make_score("order", usual, 5, churn=churn), said)
    assert kinds(say(make_score("silence_14", usual, 19, churn=0.8), said)[0]) == ["churn_risk"]


@pytest.mark.parametrize(("days", "expected"), [(14.0, ["churn_risk"]), (30.0, [])])
def test_after_a_month_a_warning_may_need_more(days: float, expected: list[str]) -> None:
    marks = {"churn_risk": Marks(high=0.3, low=0.2, cooldown_ms=DAY_MS, late=0.5)}
    features = REGULAR | {"overdue": 0.5, "days_since_order": days}
    assert kinds(say(make_score("silence_30", features, churn=0.4), marks=marks)[0]) == expected


def test_what_an_older_release_said_is_still_known() -> None:
    raw = msgspec.msgpack.encode(
        {"kinds": {"churn_risk": [100 * DAY_MS, False]}, "day": 100, "today": 2, "at": 5, "seen": ["a"]}
    )
    assert decode_said(raw) == Said(kinds={"churn_risk": Last(100 * DAY_MS, False)}, at=5, seen=["a"])


def test_a_reminder_waits_for_the_evening_where_now_is_not_her_time() -> None:
    (alert,), _ = say(make_score("silence_30", features=REGULAR | {"hour_share": 0.1}, churn=0.8))
    assert alert.send_hour == 18


@pytest.mark.parametrize(("currency", "severity"), [("EUR", "high"), ("JPY", "low")])
def test_severity_knows_that_a_yen_is_no_euro(currency: str, severity: str) -> None:
    (alert,), _ = decide(make_score("silence_30", churn=0.8), currency, Said(), Policy(holdout_share=0.0))
    assert alert.severity == severity
    assert alert.text.count("350.00 EUR" if currency == "EUR" else "350 JPY") == 1


def test_a_level_speaks_once_until_it_was_low_and_the_cool_down_is_over() -> None:
    said, spoke = Said(), []
    usual = REGULAR | {"overdue": 0.5}
    for day, churn in [
        (1, 0.8),
        (20, 0.9),
        (30, 0.7),
        (40, 0.9),
        (50, 0.1),
        (51, 0.8),
        (52, 0.1),
        (60, 0.9),
        (66, 0.9),
    ]:
        alerts, said = say(make_score("session_end", usual, day, churn=churn), said)
        spoke += [(day, a.kind) for a in alerts]
    # Day 20 to 40: never low. 51: low before, and fires. 60: low before, but quiet; 66: armed still.
    assert spoke == [(1, "churn_risk"), (51, "churn_risk"), (66, "churn_risk")]


def test_an_event_is_news_each_time_but_not_within_its_cool_down() -> None:
    said, spoke = Said(), []
    cart = REGULAR | {"cart_pieces": 1.0}
    for day in (1.0, 3.5, 4.0, 7.0):
        alerts, said = say(make_score("cart_abandoned", cart | {"overdue": 0.5}, day), said)
        spoke += [day for _ in alerts]
    assert spoke == [1.0, 4.0, 7.0]


def test_the_cap_leaves_the_more_urgent_and_the_rest_may_speak_tomorrow() -> None:
    both = REGULAR | {"cart_pieces": 1.0}
    alerts, said = say(make_score("cart_abandoned", both, churn=0.8), daily_cap=1)
    assert kinds(alerts) == ["churn_risk"]
    alerts, said = say(make_score("cart_abandoned", both, 100.5, churn=0.8), said, daily_cap=1)
    assert alerts == []
    alerts, said = say(make_score("cart_abandoned", both, 101.0, churn=0.8), said, daily_cap=1)
    assert kinds(alerts) == ["cart_abandoned"]


def test_one_score_makes_one_win_back_alert() -> None:
    alerts, _ = say(make_score("overdue", churn=0.9), daily_cap=9)
    assert kinds(alerts) == ["churn_risk"]


def test_two_scores_of_one_moment_are_both_decided_on() -> None:
    _, said = say(make_score("engaged", intent=0.8))
    alerts, after = say(make_score("review", REGULAR | {"rating_last": 1.0}), said)
    assert kinds(alerts) == ["bad_review"]
    assert say(make_score("engaged", intent=0.8), after) == ([], after)


def test_a_score_from_before_the_last_changes_nothing() -> None:
    _, said = say(make_score("order"))
    assert say(make_score("silence_30", churn=0.9, at=99 * DAY_MS), said) == ([], said)


def test_the_held_out_get_a_decision_that_is_not_to_be_sent() -> None:
    alerts, said = decide(make_score("silence_30", churn=0.8), "EUR", Said(), Policy(holdout_share=0.999))
    assert arm("ann", 0.999) == "holdout"
    assert [(a.arm, a.propensity) for a in alerts] == [("holdout", 0.999)]
    assert said.kinds["churn_risk"].at == 100 * DAY_MS


def test_marks_can_be_chosen_by_kind_and_make_sense() -> None:
    marks = {"churn_risk": Marks(high=0.2, low=0.1, cooldown_ms=HOUR_MS)}
    assert kinds(say(make_score("silence_7", REGULAR | {"overdue": 0.5}, churn=0.3), marks=marks)[0]) == ["churn_risk"]
    with pytest.raises(ValueError, match="no alerts of kind churn"):
        Policy(marks={"churn": marks["churn_risk"]})
    with pytest.raises(ValueError, match="above the high mark"):
        Marks(high=0.2, low=0.3, cooldown_ms=1)
    with pytest.raises(ValueError, match="cool-down"):
        Marks(high=0.2, low=0.1, cooldown_ms=0)


def test_the_six_kinds() -> None:
    assert set(KINDS) == {
        "churn_risk", "cart_abandoned", "high_intent", "vip_at_risk", "purchase_overdue", "bad_review"
    }  # fmt: skip
