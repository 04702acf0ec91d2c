"""The real Triton: its canary, its dead Python process, and the shared memory it must not leave."""

import asyncio
from pathlib import Path

import psutil
import pytest

from deploy.local.canary import canary
from deploy.local.part import NotReady
from deploy.local.supervisor import Stack
from tests.integration.conftest import build_echo
from tests.integration.stacks import local_settings

pytestmark = pytest.mark.integration


def shared_memory() -> set[str]:
    """The names of all shared-memory files that are Footfall's."""
    return {path.name for path in Path("/dev/shm").glob("footfall-*")}


async def test_the_canary_answers_with_filled_tensors_and_sees_a_model_that_is_not_there(tmp_path: Path) -> None:
    settings = local_settings(tmp_path)
    async with Stack(settings, ["triton"], build=build_echo):
        canary(settings.triton_url, "echo")
        with pytest.raises(NotReady, match="missing"):
            canary(settings.triton_url, "missing")


async def test_a_dead_python_process_is_seen_and_mended_in_the_running_server(tmp_path: Path) -> None:
    settings = local_settings(tmp_path)
    async with Stack(settings, ["triton"], build=build_echo) as stack:
        server = psutil.Process(stack.pid("triton"))
        dead = server.children()
        for stub in dead:
            stub.kill()
        async with asyncio.timeout(120):
            while not set(server.children()) - set(dead) or not await asyncio.to_thread(answers, settings.triton_url):
                await asyncio.sleep(0.1)
        assert stack.pid("triton") == server.pid


def answers(url: str) -> bool:
    try:
        canary(url, "echo")
    except NotReady:
        return False
    return True


async def test_no_shared_memory_is_left_after_a_stop_nor_after_a_kill(tmp_path: Path) -> None:
    async with Stack(local_settings(tmp_path), ["triton"], build=build_echo) as stack:
        mine = {name for name in shared_memory() if stack.id in name}
        assert mine, "Triton names its shared memory after the stack"
        stack.kill("triton")
        await stack.restarted("triton")
        assert not mine & shared_memory()
        await stack.stop("triton")
        assert not {name for name in shared_memory() if stack.id in name}
        await stack.start("triton")
    assert not {name for name in shared_memory() if stack.id in name}
