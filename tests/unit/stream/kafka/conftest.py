"""A stage to make barriers with."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stream.kafka.barriers import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> Any:
    bench = Bench(tmp_path)
    consuming = asyncio.create_task(bench.stage._consume(bench.messages))
    yield bench
    consuming.cancel()
