"""Score workers killed while the models learn: what was said stands, is said once, and is what is remembered."""

import time
from collections import Counter
from pathlib import Path

import pytest

from stream.kafka.admin import create_topics
from tests.chaos.events import shop_days
from tests.chaos.plan import plan
from tests.chaos.said import contradictions, spoken
from tests.chaos.storm import Flow, Storm, drain, fleets, weather
from tests.chaos.strength import STRENGTH
from tests.chaos.test_storm import settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600 + 30 * STRENGTH.kills)]

CUSTOMERS = (80, 400)
PER_S = 150.0
STAGES = ("profile", "score", "label", "learn")
# So that there are alerts to contradict: of customers who come every few days the likeliest buyers raise some.
MARKS = {
    "high_intent": {"high": 0.3, "low": 0.2, "cooldown_days": 1},
    "churn_risk": {"high": 0.2, "low": 0.1, "late": 0.3, "cooldown_days": 3},
}


def test_what_was_said_stands_though_the_models_learn(tmp_path: Path) -> None:
    again = f"repeat it with make chaos SEED={STRENGTH.seed} KILLS={STRENGTH.kills}"
    print(f"\nchaos: {again}")
    began = time.monotonic()
    shop = settings(tmp_path, topic_prefix="fickle-", alert_marks=MARKS)
    events = shop_days(STRENGTH.seed + 1, CUSTOMERS[STRENGTH.long])
    with weather(shop) as broker:
        create_topics(shop)
        with fleets(shop, tmp_path / "storm", STAGES) as struck_fleets:
            flow = Flow(shop, events, PER_S)
            storm = Storm(shop, broker, struck_fleets, flow, STRENGTH.seed, struck="score")
            flow.start()
            storm.run(plan(STRENGTH.seed, STRENGTH.kills))
            blown = time.monotonic() - began
            flow.finish()
            drain(shop, struck_fleets)
        said = spoken(shop)
    wrong = contradictions(said, shop.holdout_share)
    crashes = sum((fleet.crashes for fleet in struck_fleets), Counter[str]())
    report = [
        f"chaos: seed {STRENGTH.seed}, {storm.kills} kills while the models learn",
        f"  {blown:.0f} s storm, {time.monotonic() - began - blown:.0f} s until drained",
        *(f"  {number:6,} x {kind} ({storm.seconds[kind]:.0f} s)" for kind, number in sorted(storm.struck.items())),
        *(f"  {number:6,} workers ended themselves: {why}" for why, number in crashes.items()),
        f"  {len(said.scores):6,} scores of {len(said.snapshots):,} snapshots, by {said.versions} versions",
        f"  {len(said.alerts):6,} alerts and {len(said.lists):,} recommendations",
        *(f"  {line}" for line in wrong),
        f"  contradictions: {again}" if wrong else "  nothing contradicts itself",
    ]
    print("\n" + "\n".join(report))
    assert storm.kills == STRENGTH.kills
    assert said.versions > 1
    assert said.alerts
    assert not wrong, "\n".join(report)
