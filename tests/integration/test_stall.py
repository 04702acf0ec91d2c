"""A worker whose consumer silently stops is noticed, ends itself, and the next one does its work."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stream.settings import Settings
from tests.integration.workers import Orders, worker

pytestmark = pytest.mark.integration

STALL_S = 3.0
AFTER = 500


@pytest.mark.parametrize("what", ["fetcher", "partition"])
def test_a_worker_that_no_longer_reads_ends_itself_and_the_next_does_its_work(
    what: str, new_shop: Callable[..., Settings], tmp_path: Path
) -> None:
    shop = new_shop(partitions=2, session_timeout_s=6.0, flush_interval_s=0.3, stall_s=STALL_S)
    logs = tmp_path / "workers"
    logs.mkdir()
    said = logs / "stalling.log"
    command = (sys.executable, "-m", "tests.integration.stalling_worker", what, str(AFTER))
    with Orders(shop) as orders:
        with said.open("wb") as log:
            stalling = subprocess.Popen(command, env=os.environ | shop.environment(), stdout=log, stderr=log)
        try:
            assert stalling.wait(90) == 1, said.read_text()
        finally:
            stalling.kill()
        assert f"was not read for {STALL_S:.0f} s: the worker starts again from its last commit" in said.read_text()
        with worker(shop, logs) as next_one:
            orders.flowing(500)
            orders.stop()
            orders.check()
            # With nothing to do, it is left alone.
            with pytest.raises(subprocess.TimeoutExpired):
                next_one.process.wait(2 * STALL_S)
