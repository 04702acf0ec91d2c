"""The snapshots that a real worker emitted from a replayed log, held against the oracle by the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from deploy.local.supervisor import Stack
from schemas.topics import FEATURES
from stream.settings import Settings
from stream.sources.audit import Lag
from tests.integration.kafka_tools import newest, send, until
from tests.integration.stacks import running

pytestmark = pytest.mark.integration

ROWS = 1_500
BEHAVIOURS = ("pv", "pv", "cart", "pv", "fav", "pv", "pv", "buy")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Views, carts, favourites and purchases of twelve customers, one every ten minutes."""
    path = tmp_path / "behaviour.csv"
    rows = [f"{n % 12},{n % 31},{n % 5},{BEHAVIOURS[n % 11 % 8]},{1_511_539_200 + n * 600}" for n in range(ROWS)]
    path.write_text("\n".join(["user_id,item_id,category_id,behavior,ts", *rows]))
    return path


def footfall(shop: Settings, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "FOOTFALL_KAFKA_BROKERS": shop.kafka_brokers,
        "FOOTFALL_TOPIC_PREFIX": shop.topic_prefix,
        "FOOTFALL_DATA_DIR": str(shop.data_dir),
        "FOOTFALL_PARTITIONS": str(shop.partitions),
    }
    command = [sys.executable, "-m", "deploy.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def unread(shop: Settings) -> int:
    """Records of both input topics that the profile stage has not committed."""
    left = 0
    for topic in ("clickstream", "orders"):
        lag = Lag(shop, "footfall-profile", topic)
        try:
            left += lag.read()
        finally:
            lag.close()
    return left


def test_emitted_snapshots_agree_and_a_falsified_one_is_found(shop: Settings, log: Path) -> None:
    check = ("check", "parity", "--source", "taobao", log, "--emitted", "--all", "--json")
    early = footfall(shop, *check)
    assert early.returncode == 1
    assert "first: footfall replay taobao" in early.stderr
    with running(Stack(shop, ["profile"])):
        assert footfall(shop, "replay", "taobao", log, "--json").returncode == 0
        until(lambda: unread(shop), lambda left: left == 0, "the profile stage reads everything")
    found = footfall(shop, *check)
    assert found.returncode == 0, found.stdout + found.stderr
    report = json.loads(found.stdout)
    assert (report["customers"], report["mismatches"]) == (12, 0)
    assert report["compared"] > 100 * report["features"]

    key, value = newest(shop, FEATURES).popitem()
    snapshot = orjson.loads(value)
    snapshot["id"] = "falsified"
    snapshot["features"]["views_30d"] += 1
    send(shop, FEATURES, [(key, orjson.dumps(snapshot))])
    falsified = footfall(shop, *check)
    assert falsified.returncode == 1
    by_feature = json.loads(falsified.stdout)["by_feature"]
    assert list(by_feature) == ["views_30d"]
    assert by_feature["views_30d"]["example"]["customer"] == key.decode()
