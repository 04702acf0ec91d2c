"""A place of its own for a benchmark: a broker on free ports, its data in a temporary folder, gone afterwards."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from deploy.core.build import ensure
from deploy.local import catalogue
from deploy.local.broker import Broker
from deploy.local.part import Part
from deploy.local.ports import free_port
from deploy.local.supervisor import Announce, Stack
from deploy.local.triton import Triton
from stream.settings import Settings

PORTS = {
    "kafka_port": 1, "triton_port": 1, "triton_metrics_port": 1, "collector_port": 1, "recommender_port": 1,
    "metrics_base_port": 8,
}  # fmt: skip


def private(settings: Settings, folder: Path, **more: object) -> Settings:
    """The installation's settings with free ports and a data folder of its own, and `more` on top."""
    ports = {name: free_port(count) for name, count in PORTS.items()}
    addresses = {
        "kafka_brokers": f"127.0.0.1:{ports['kafka_port']}",
        "triton_url": f"127.0.0.1:{ports['triton_port']}",
    }
    chosen = settings.model_dump(include=settings.model_fields_set)
    return Settings.model_validate({**chosen, **ports, **addresses, "data_dir": folder, "topic_prefix": "", **more})


def build(name: str, settings: Settings, stack_id: str) -> Part | None:
    """The catalogue's parts, but never a Kafka or a Triton that somebody else uses."""
    if name == "kafka":
        return Broker(settings)
    if name == "triton":
        return Triton(settings, stack_id, lambda: catalogue.models(settings))
    return catalogue.build(name, settings, stack_id)


@asynccontextmanager
async def place(
    settings: Settings, parts: Collection[str] = ("kafka",), *, announce: Announce, **more: object
) -> AsyncIterator[tuple[Settings, Stack]]:
    """Run `parts` as long as the block does; yields the settings that reach them, and the stack.

    The core is compiled before, where it can be: it is what is to be measured.
    """
    await asyncio.to_thread(ensure, settings.cache_dir, partial(announce, "core"))
    with tempfile.TemporaryDirectory(prefix="footfall-bench-") as folder:
        own = private(settings, Path(folder), **more)
        async with Stack(own, parts, announce=announce, build=build) as stack:
            yield own, stack
