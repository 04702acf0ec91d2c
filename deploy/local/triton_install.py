"""Triton on this machine: the server out of the wheel `nvidia-pytriton`, and the small Python its models run in."""

import ctypes.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local import installing
from deploy.local.part import Say
from schemas.errors import OperatorError

SERVER = "nvidia-pytriton==0.7.0"
# Triton's Python backend answers with empty int64 tensors under numpy 2, while looking healthy.
ENVIRONMENT = ("numpy==1.26.4", "onnxruntime==1.23.2")
# On a GPU, with onnx, which makes the network fp16, and the libraries of CUDA 13.0, which any driver from 580 on runs.
CUDA_ENVIRONMENT = (
    "numpy==1.26.4",
    "onnx==1.23.2",
    "onnxruntime-gpu[cuda,cudnn]==1.31.1",
    "nvidia-cublas==13.1.0.3",
    "nvidia-cuda-nvrtc==13.0.88",
    "nvidia-cuda-runtime==13.0.96",
    "nvidia-cudnn-cu13==9.19.0.56",
    "nvidia-cufft==12.0.0.61",
    "nvidia-curand==10.4.0.35",
    "nvidia-nvjitlink==13.0.88",
)
# What numpy 1.26 has wheels for, and the wheel has stubs for; the models' Python need not be the one Footfall runs in.
PYTHONS = ("3.12", "3.11", "3.10")
CUDA_PYTHONS = ("3.12", "3.11")


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the server lies, the `bin` folder of the models' Python, and the folder of that Python's shared library."""

    server: Path
    bin: Path
    library: Path

    @property
    def program(self) -> Path:
        """The server."""
        return self.server / "bin" / "tritonserver"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that the models can run in."""

    path: str
    version: str
    library: Path


def install(folder: Path, say: Say, *, cuda: bool = False) -> Installation:
    """Install server and environment into `folder`, or find them there; OperatorError where that cannot be.

    An interrupted installation counts as none, and of several processes one installs while the others wait.
    """
    python = find_python(CUDA_PYTHONS if cuda else PYTHONS)
    with installing.alone(folder):
        return _install(folder, python, say, cuda=cuda)


def _install(folder: Path, python: Interpreter, say: Say, *, cuda: bool) -> Installation:
    home = folder / f"{SERVER.partition('==')[2]}-py{python.version}{'-cuda13' if cuda else ''}"
    found = Installation(home / "wheel/pytriton/tritonserver", home / "python/bin", python.library)
    if (home / "complete").exists():
        return found
    say(f"installing Triton and its Python environment ({'1.5 GB' if cuda else '90 MB'} to fetch, once)")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(home / "wheel"), SERVER)
    stub = found.server / "python_backend_stubs" / python.version / "triton_python_backend_stub"
    if not stub.exists():
        raise OperatorError(
            f"{SERVER} has no stub for Python {python.version}: set FOOTFALL_TRITON_URL to a Triton that runs"
        )
    shutil.copy(stub, found.server / "backends" / "python")
    _run(python.path, "-m", "venv", "--without-pip", str(home / "python"))
    into = str(found.bin / "python3")
    environment = CUDA_ENVIRONMENT if cuda else ENVIRONMENT
    _run(sys.executable, "-m", "pip", "--python", into, "install", "--quiet", "--only-binary", ":all:", *environment)
    for program in (found.program, found.server / "backends/python/triton_python_backend_stub"):
        program.chmod(0o755)
    (home / "complete").touch()
    return found


def find_python(versions: tuple[str, ...] = PYTHONS) -> Interpreter:
    """The running Python if Triton supports it, else the newest on PATH that it does, with its shared library."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    tried = []
    for version in (running, *(other for other in versions if other != running)):
        path = sys.executable if version == running else shutil.which(f"python{version}")
        if version not in versions or path is None:
            continue
        if library := _library(path, version):
            return Interpreter(path, version, library)
        tried.append(f"libpython{version}.so.1.0 is missing")
    reason = "; ".join(tried) or f"it has no stub for Python {running} with numpy 1"
    raise OperatorError(
        f"Triton's Python backend cannot run here ({reason}): install Python {' or '.join(versions[:2])} with its "
        "shared library, or set FOOTFALL_TRITON_URL to a Triton that runs"
    )


def _library(python: str, version: str) -> Path | None:
    """The folder of a Python's shared library, which the stub is linked against."""
    script = (
        "import json,sys,sysconfig as s;d=s.get_config_var('LIBDIR') or '';"
        "print(json.dumps([d, d+'/'+(s.get_config_var('MULTIARCH') or ''), sys.base_prefix+'/lib']))"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    name = f"libpython{version}.so.1.0"
    for folder in json.loads(done.stdout) if done.returncode == 0 else []:
        if (Path(folder) / name).exists():
            return Path(folder)
    return Path("/") if ctypes.util.find_library(f"python{version}") else None


def _run(*command: str) -> None:
    remedy = "look at the network and the disk, or set FOOTFALL_TRITON_URL to a Triton that runs"
    installing.run(*command, what="Triton", remedy=remedy)
