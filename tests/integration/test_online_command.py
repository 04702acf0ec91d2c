"""`footfall online` reads what `learn` published."""

import json
import os
import subprocess
import sys

import pytest

from online.state import NAME, Learner
from schemas.outputs import encode
from schemas.topics import MODELS
from stream.settings import Settings
from tests.integration.kafka_tools import send

pytestmark = pytest.mark.integration


def ask(settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", "online", "--json"],
        env=os.environ | settings.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_newest_version_is_told_and_without_one_it_says_what_to_do(shop: Settings) -> None:
    before = ask(shop)
    assert before.returncode == 1
    assert "footfall up" in before.stderr
    versions = [Learner().snapshot(offset=offset, at=offset * 1_000) for offset in (1, 2)]
    send(shop, MODELS, [(NAME.encode(), encode(version)) for version in versions])
    found = json.loads(ask(shop).stdout)
    assert found["at"] == 2_000
    assert found["targets"]["churn"]["champion"] == "ensemble"
