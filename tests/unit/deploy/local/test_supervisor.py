"""The supervisor over small programs of its own: order, readiness, restarts, and nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.local.part import Part
from deploy.local.parts import Service
from deploy.local.ports import LOOPBACK, Port, free_port
from deploy.local.reaper import STACK_ID, members
from deploy.local.state import read
from deploy.local.supervisor import Stack
from schemas.errors import OperatorError
from stream.settings import Settings

WAVES = (("first",), ("second",))
SERVER = """
import http.server, subprocess, sys
# A child of its own, as Triton and the JVM may have: it must not outlive the part.
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def server(name: str, settings: Settings, _stack_id: str) -> Part:
    """A part that answers HTTP and has a child process."""
    port = free_port()
    argv = (sys.executable, "-c", SERVER, str(port))
    return Service(name, argv, f"http://{LOOPBACK}:{port}/", Port(port, "x"), settings)


def program(source: str) -> Callable[[str, Settings, str], Part]:
    """A part that runs a Python program, whatever it does."""

    def build(name: str, settings: Settings, _stack_id: str) -> Part:
        port = free_port()
        return Service(name, (sys.executable, "-c", source), f"http://{LOOPBACK}:{port}/", Port(port, "x"), settings)

    return build


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition; fail where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


async def test_parts_start_in_order_and_leave_no_process(tmp_path: Path) -> None:
    lines: list[tuple[str, str]] = []
    settings = Settings(data_dir=tmp_path)
    async with Stack(
        settings, build=server, waves=WAVES, announce=lambda name, line: lines.append((name, line))
    ) as stack:
        assert [name for name, _ in lines] == ["first", "second"]
        assert all("ready in" in line for _, line in lines)
        state = read(tmp_path)
        assert state is not None
        assert {name: part.pid for name, part in state.parts.items()} == {name: stack.pid(name) for name in state.parts}
        assert len(list(members(stack.id))) == 4
    assert list(members(stack.id)) == []


async def test_a_killed_part_is_restarted(tmp_path: Path) -> None:
    lines: list[str] = []
    async with Stack(
        Settings(data_dir=tmp_path), build=server, waves=WAVES, announce=lambda _name, line: lines.append(line)
    ) as stack:
        before, other = stack.pid("first"), stack.pid("second")
        stack.kill("first")
        await stack.restarted("first")
        assert stack.pid("first") not in (None, before)
        assert stack.pid("second") == other
        assert len(list(members(stack.id))) == 4
    assert any("ended with code -9; starting it again in 1 s" in line for line in lines)


async def test_a_stopped_part_stays_stopped_until_it_is_started(tmp_path: Path) -> None:
    async with Stack(Settings(data_dir=tmp_path), build=server, waves=WAVES) as stack:
        await stack.stop("second")
        assert stack.pid("second") is None
        assert stack.state().parts["second"].state == "stopped"
        await stack.start("second")
        assert stack.state().parts["second"].state == "ready"
        with pytest.raises(OperatorError, match="`third` is not part of this stack"):
            await stack.stop("third")


async def test_a_part_that_dies_while_starting_is_told_with_its_last_words(tmp_path: Path) -> None:
    stack = Stack(Settings(data_dir=tmp_path), build=program("raise SystemExit('no such moon')"), waves=(("moon",),))
    with pytest.raises(OperatorError, match=r"moon ended with code 1 while starting: no such moon \(see .*moon\.log\)"):
        await stack.__aenter__()
    assert list(members(stack.id)) == []


async def test_a_program_that_ignores_term_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
    port = free_port()

    def build(name: str, settings: Settings, _stack_id: str) -> Part:
        argv = (sys.executable, "-c", deaf, str(port))
        return Service(name, argv, f"http://{LOOPBACK}:{port}/", Port(port, "x"), settings)

    async with Stack(Settings(data_dir=tmp_path), build=build, waves=(("deaf",),), grace_s=0.5) as stack:
        pass
    assert list(members(stack.id)) == []


async def test_one_data_folder_carries_one_stack(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    async with Stack(settings, build=server, waves=(("first",),)):
        with pytest.raises(OperatorError, match=rf"a stack runs already on .* \(process {os.getpid()}\)"):
            await Stack(settings, build=server, waves=(("first",),)).__aenter__()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_the_supervisor_ends_every_process(tmp_path: Path, number: signal.Signals) -> None:
    script = tmp_path / "supervise.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import asyncio, importlib.util, sys
            from deploy.local.supervisor import Stack
            from deploy.local.until import until_signalled
            from stream.settings import Settings
            spec = importlib.util.spec_from_file_location("helpers", {__file__!r})
            helpers = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(helpers)

            async def run():
                async with Stack(Settings(), build=helpers.server, waves=helpers.WAVES):
                    print("ready", flush=True)
                    await asyncio.Event().wait()

            asyncio.run(until_signalled(run()))
            """
        )
    )
    environment = {**os.environ, "FOOTFALL_DATA_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "ready\n"
        state = read(tmp_path)
        assert state is not None
        processes = [*members(state.id), *_reapers(state.id)]
        assert len(processes) == 5
        supervisor.send_signal(number)
        supervisor.wait(30)
    until(lambda: not any(process.is_running() for process in processes))
    assert supervisor.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)


def _reapers(stack_id: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if stack_id in (process.info["cmdline"] or [])]


def test_the_mark_is_what_the_reaper_looks_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={STACK_ID: "mine"}) as marked:
        until(lambda: [process.pid for process in members("mine")] == [marked.pid])
        assert list(members("another")) == []
        marked.kill()
