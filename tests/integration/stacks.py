"""Stacks for tests: settings with free ports, and a stack that runs while tests come and go."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deploy.local.ports import free_port
from deploy.local.supervisor import Stack
from stream.settings import Settings

PORTS = MappingProxyType(
    {"kafka_port": 1, "triton_port": 1, "triton_metrics_port": 1, "collector_port": 1, "recommender_port": 1}
    | {"metrics_base_port": 4}
)


def local_settings(folder: Path, **more: object) -> Settings:
    """Settings of a stack with its data in `folder` and every port free; downloads are the checkout's own."""
    ports = {name: free_port(count) for name, count in PORTS.items()}
    return Settings.model_validate({"data_dir": folder, **ports, **more})


Do = Callable[[Coroutine[Any, Any, None]], None]


@contextmanager
def controlled(stack: Stack) -> Iterator[Do]:
    """A stack that runs in a thread of its own; what is yielded does something to it there, and waits for the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="stack", daemon=True)
    thread.start()

    def do(work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(240)

    try:
        do(stack.__aenter__())
        try:
            yield do
        finally:
            do(stack.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """A stack that runs while tests come and go."""
    with controlled(stack):
        yield stack
