"""A worker process: one stage, its metrics over HTTP, and an exit code that tells a crash from a stop."""

import importlib
import logging
import os
import sys

import faust
from prometheus_client import start_http_server

from schemas.errors import OperatorError
from stream.kafka.stage import Stage
from stream.settings import Settings


def run(name: str, settings: Settings, metrics_port: int, log_level: str) -> None:
    """Run the stage `name` until SIGTERM or SIGINT (exit code 0) or until it crashes (1). Does not return."""
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        start_http_server(metrics_port)
    except OSError as error:
        raise OperatorError(
            f"port {metrics_port} for the metrics of `{name}` is taken; choose another with --metrics-port"
        ) from error
    run_stage(importlib.import_module(f"stream.stages.{name}").stage(settings), log_level)


def run_stage(stage: Stage, log_level: str) -> None:
    """Run a stage that is made, as `run` does."""
    worker = faust.Worker(stage.app, loglevel=log_level, redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as stop:
        _leave(stage, stop.code)
    _leave(stage, 0)


def _leave(stage: Stage, code: object) -> None:
    crashed = stage.app.crash_reason is not None
    logging.shutdown()
    # Threads of libraries must not keep a crashed worker alive: the supervisor waits for its end to start it afresh.
    os._exit(1 if crashed or code not in (0, None) else 0)
