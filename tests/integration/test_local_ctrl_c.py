"""Ctrl-C on a real broker and a real Triton: no process and no shared-memory file is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.reaper import members
from deploy.local.state import read

pytestmark = pytest.mark.integration
SCRIPT = """
import asyncio, importlib.util, pathlib, sys
from deploy.local.supervisor import Stack
from deploy.local.until import until_signalled
spec = importlib.util.spec_from_file_location("helpers", sys.argv[1])
helpers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(helpers)
settings = helpers.local_settings(pathlib.Path(sys.argv[2]))

async def run():
    async with Stack(settings, ["kafka", "triton"], build=helpers.build_echo):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(until_signalled(run()))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    helpers = Path(__file__).parent / "conftest.py"
    command = [sys.executable, "-c", SCRIPT, str(helpers), str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "ready\n"
        state = read(tmp_path)
        assert state is not None
        running = list(members(state.id))
        assert len(running) == 3, "the JVM, Triton's server and its Python process"
        assert list(Path("/dev/shm").glob(f"footfall-{state.id}-*"))
        supervisor.send_signal(number)
        # The reaper holds the other end of this pipe: its end is the end of everything.
        supervisor.stdout.read()
    assert not [process for process in running if process.is_running()]
    assert not list(Path("/dev/shm").glob(f"footfall-{state.id}-*"))
