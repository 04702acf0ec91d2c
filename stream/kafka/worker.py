"""A worker process: one stage, its metrics over HTTP, and an exit code that tells a crash from a stop."""

import gc
import importlib
import logging
import os
import sys
import threading
import time
from typing import Final

import faust
from prometheus_client import start_http_server

from schemas import compiled
from schemas.errors import OperatorError
from stream import metrics
from stream.kafka.stage import Stage
from stream.settings import Settings

_LOOK_S: Final = 0.5
# Long enough to leave the group, so that others take over at once.
_LAST_WORDS_S: Final = 5.0


def run(name: str, settings: Settings, metrics_port: int, log_level: str) -> None:
    """Run the stage `name` until SIGTERM or SIGINT (exit code 0) or until it crashes (1). Does not return."""
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        start_http_server(metrics_port)
    except OSError as error:
        raise OperatorError(
            f"port {metrics_port} for the metrics of `{name}` is taken; choose another with --metrics-port"
        ) from error
    metrics.CORE_COMPILED.set(compiled.running())
    run_stage(importlib.import_module(f"stream.stages.{name}").stage(settings), log_level)


def run_stage(stage: Stage, log_level: str) -> None:
    """Run a stage that is made, as `run` does."""
    # Most of what a worker keeps lives long and is in no cycle: looking through it again and again is in vain.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    threading.Thread(target=_end_crashed, args=(stage,), name="end-crashed", daemon=True).start()
    worker = faust.Worker(stage.app, loglevel=log_level, redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as stop:
        _leave(stage, stop.code)
    _leave(stage, 0)


def _end_crashed(stage: Stage) -> None:
    """End a crashed worker soon: in Faust's shutdown it may wait a minute for a thread that is gone."""
    while stage.app.crash_reason is None:
        time.sleep(_LOOK_S)
    time.sleep(_LAST_WORDS_S)
    _leave(stage, 1)


def _leave(stage: Stage, code: object) -> None:
    crashed = stage.app.crash_reason is not None
    logging.shutdown()
    # Threads of libraries must not keep a crashed worker alive: the supervisor waits for its end to start it afresh.
    os._exit(1 if crashed or code not in (0, None) else 0)
