"""A real Triton: the wheel's server as a plain process, over gRPC, with the models' Python beside it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from deploy.local.canary import canary, mend
from deploy.local.part import NotReady, Say
from deploy.local.ports import LOOPBACK, Port, accepts
from deploy.local.process import Command
from deploy.local.reaper import remove_shared_memory, shared_memory_prefix
from deploy.local.repository import OLDEST_DRIVER, any_on_gpu, has_gpu, outdated, vital, wanted
from deploy.local.triton_install import Installation, install
from schemas.errors import OperatorError
from stream.settings import Settings


class Triton:
    """The local Triton over a folder of models, each of which must answer a canary."""

    name: ClassVar[str] = "triton"
    ready_s: ClassVar[float] = 120.0
    watched: ClassVar[bool] = True

    def __init__(self, settings: Settings, stack_id: str, models: Callable[[], Path]) -> None:
        self.address = f"{LOOPBACK}:{settings.triton_port}"
        self.ports = (
            Port(settings.triton_port, "triton_port"),
            Port(settings.triton_metrics_port, "triton_metrics_port"),
        )
        self._settings = settings
        self._stack_id = stack_id
        self._models = models
        self._folder = settings.cache_dir.resolve() / "triton"
        self._repository = Path()
        self._installation: Installation | None = None

    def prepare(self, say: Say) -> None:
        """Install the server, and lay out the models."""
        self._repository = self._models()
        cuda = any_on_gpu(self._repository)
        if cuda and not has_gpu():
            raise OperatorError(
                "BERT is to run on a GPU, and this machine shows none: install NVIDIA's driver (in a container, start "
                "it with the GPU), or set FOOTFALL_TRITON_DEVICE=cpu"
            )
        if cuda and (release := outdated()):
            raise OperatorError(
                f"BERT is to run on a GPU, whose driver has release {release}: CUDA 13 runs on {OLDEST_DRIVER} or "
                "newer; update it, or set FOOTFALL_TRITON_DEVICE=cpu"
            )
        self._installation = install(self._folder, say, cuda=cuda)

    def command(self) -> Command:
        """The server on the loopback, gRPC and metrics only."""
        assert self._installation is not None, "prepare first"
        server = self._installation.server
        libraries = [str(self._installation.library)]
        if any_on_gpu(self._repository) and (inherited := os.environ.get("LD_LIBRARY_PATH")):
            # In many a container this is all that says where the driver's library lies.
            libraries.append(inherited)
        env = {
            # The stub finds the environment of its models through the first `python3` on PATH.
            "PATH": f"{self._installation.bin}{os.pathsep}{os.defpath}",
            "LD_LIBRARY_PATH": os.pathsep.join(libraries),
            # Waiting threads of one model must not spin on the cores that another one needs.
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        options = {
            "--model-repository": self._repository,
            "--backend-directory": server / "backends",
            "--backend-config": f"python,shm-region-prefix-name={shared_memory_prefix(self._stack_id)}",
            "--model-control-mode": "explicit",
            # A version on trial that does not load must not keep the others from serving.
            "--exit-on-error": str(wanted(self._repository) == vital(self._repository)).lower(),
            "--allow-http": "false",
            "--grpc-address": LOOPBACK,
            "--grpc-port": self._settings.triton_port,
            "--metrics-address": LOOPBACK,
            "--metrics-port": self._settings.triton_metrics_port,
            "--allow-gpu-metrics": "false",
            "--exit-timeout-secs": 5,
        }
        flags = [f"{option}={value}" for option, value in options.items()]
        flags += [f"--load-model={name}" for name in wanted(self._repository)]
        return Command((str(self._installation.program), "--disable-auto-complete-config", *flags), env)

    def probe(self) -> None:
        """A canary inference of every model that must answer; one whose Python process has died is loaded anew."""
        if not accepts(self.address):
            raise NotReady("does not listen yet")
        for model in vital(self._repository):
            try:
                canary(self.address, model)
            except NotReady:
                if not mend(self.address, model):
                    raise

    def clean(self) -> None:
        """Remove the shared memory between the server and its Python processes, which outlives a kill."""
        remove_shared_memory(self._stack_id)
