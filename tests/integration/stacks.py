"""Stacks for tests: settings with free ports, and a stack that runs while tests come and go."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from deploy.local.ports import free_port
from deploy.local.supervisor import Stack
from stream.settings import Settings

PORTS = MappingProxyType(
    {"kafka_port": 1, "triton_port": 1, "triton_metrics_port": 1, "collector_port": 1, "metrics_base_port": 4}
)


def local_settings(folder: Path, **more: object) -> Settings:
    """Settings of a stack with its data in `folder` and every port free; downloads are the checkout's own."""
    ports = {name: free_port(count) for name, count in PORTS.items()}
    return Settings.model_validate({"data_dir": folder, **ports, **more})


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """A stack that runs in a thread of its own while tests come and go."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="stack", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(stack.__aenter__(), loop).result(240)
        try:
            yield stack
        finally:
            asyncio.run_coroutine_threadsafe(stack.__aexit__(None, None, None), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
