"""Kills, refusals, time-outs, workers that come and go: in the end everything is as if nothing had happened."""

import time
from collections import Counter
from pathlib import Path

import pytest

from stream.kafka.admin import create_topics
from stream.settings import Settings
from tests.chaos.events import shop_days
from tests.chaos.outcome import Outcome, copy_log, differences, facts, outcome, pure, unlike_profiles
from tests.chaos.plan import plan
from tests.chaos.storm import DELIVERY_S, FLUSH_S, SESSION_S, Flow, Storm, drain, fleets, learn, weather
from tests.chaos.strength import STRENGTH
from tests.integration.stacks import local_settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600 + 30 * STRENGTH.kills)]

CUSTOMERS = (80, 400)
PER_S = 100.0
# Without Triton: what the online model says alone is the same however often it is asked, as long as it learns nothing.
STAGES = ("profile", "score", "label") if STRENGTH.long else ("profile",)
LEARN_KILLS = 5
# The days of the shop are fewer than it takes to know what a customer spends in three months.
VALUE_DAYS = 20


def settings(folder: Path, **more: object) -> Settings:
    quick = {
        "session_timeout_s": SESSION_S,
        "flush_interval_s": FLUSH_S,
        "delivery_s": DELIVERY_S,
        "partitions": 4,
        "value_days": VALUE_DAYS,
    }
    return local_settings(folder, **quick, **more)


def calm(shop: Settings, folder: Path) -> Outcome:
    """The outcome of the same log in a shop of its own, read by one worker that nothing happens to."""
    undisturbed = settings(folder, kafka_brokers=shop.kafka_brokers, topic_prefix="calm-")
    create_topics(undisturbed)
    copy_log(shop, undisturbed)
    with fleets(undisturbed, folder / "calm", STAGES) as undisturbed_fleets:
        drain(undisturbed, undisturbed_fleets)
    assert [fleet.started for fleet in undisturbed_fleets] == [1] * len(STAGES)
    return outcome(undisturbed)


def test_after_a_storm_all_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    again = f"repeat it with make chaos SEED={STRENGTH.seed} KILLS={STRENGTH.kills}"
    print(f"\nchaos: {again}")
    began = time.monotonic()
    shop = settings(tmp_path, topic_prefix="storm-")
    events = shop_days(STRENGTH.seed, CUSTOMERS[STRENGTH.long])
    with weather(shop) as broker:
        create_topics(shop)
        with fleets(shop, tmp_path / "storm", STAGES) as struck_fleets:
            flow = Flow(shop, events, PER_S)
            storm = Storm(shop, broker, struck_fleets, flow, STRENGTH.seed)
            flow.start()
            storm.run(plan(STRENGTH.seed, STRENGTH.kills))
            blown = time.monotonic() - began
            flow.finish()
            drain(shop, struck_fleets)
        struck = time.monotonic() - began
        taught = learn(shop, tmp_path / "learn", LEARN_KILLS) if STRENGTH.long else 0
        got = outcome(shop)
        want = calm(shop, tmp_path)
    said = differences(got, want)
    crashes = sum((fleet.crashes for fleet in struck_fleets), Counter[str]())
    truth = pure(events)
    unlike = list(unlike_profiles({name: facts(profile) for name, profile in got.profiles.items()}, truth))
    report = [
        f"chaos: seed {STRENGTH.seed}, {storm.kills} kills",
        f"  {blown:.0f} s storm, {struck - blown:.0f} s until drained",
        *(f"  {number:6,} x {kind} ({storm.seconds[kind]:.0f} s)" for kind, number in sorted(storm.struck.items())),
        *(f"  {number:6,} workers ended themselves: {why}" for why, number in crashes.items()),
        f"  {len(events):6,} events sent",
        f"  {len(got.profiles):6,} profiles compared",
        f"  {len(got.snapshots):6,} snapshots compared, {got.repeats:,} repeats dropped",
        f"  {len(got.interactions):6,} interactions and {len(got.letters):,} dead letters compared",
        f"  {len(got.examples):6,} examples compared, learned: {got.learned}, killed {taught} times meanwhile",
        f"  {len(got.alerts):6,} alerts of {', '.join(STAGES)} compared",
        *(["  not as in the undisturbed run:", *(f"    {line}" for line in said)] if said else []),
        *(["  not as the events themselves say:", *(f"    {line}" for line in unlike)] if unlike else []),
        f"  NOT equal: {again}" if said + unlike else "  equal",
    ]
    print("\n" + "\n".join(report))
    assert storm.kills == STRENGTH.kills
    assert not STRENGTH.long or (taught > 0 and min(got.learned.values()) > 0)
    assert not said + unlike, "\n".join(report)
