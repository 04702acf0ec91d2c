"""The model repository that Triton reads: the template of `deploy/triton/`, filled with a trained model's files."""

import os
import re
import shutil
from pathlib import Path
from typing import Literal

import inference
from inference import registry as registries
from schemas.errors import OperatorError

Device = Literal["auto", "cpu", "cuda"]
# What `model.py` needs of Footfall, of which Triton's Python knows nothing: stands by itself.
PRECISION = Path(inference.__file__).with_name("precision.py")
# The driver's own list of cards; where Windows has the driver, its door to it.
GPUS = (Path("/proc/driver/nvidia/gpus"), Path("/dev/dxg"))
DRIVER = Path("/proc/driver/nvidia/version")
# Of CUDA 13, which the model runs on there.
OLDEST_DRIVER = 580
_NAME = re.compile(r'^name: ".*"$', re.MULTILINE)
_RELEASE = re.compile(r"\b(\d{3,})\.\d+")
_PREFERRED = re.compile(r"^ *preferred_batch_size: .*\n", re.MULTILINE)


def assemble(template: Path, model: Path, repository: Path, name: str, device: Device = "cpu") -> Path:
    """Lay out `repository/name`: `config.pbtxt` on top, `model.py` and the model's own files in the folder `1`.

    The same files serve from a CPU (int8) and from a GPU (made fp16 as it is loaded): `config.pbtxt` says which.
    The folder is built beside its place and swapped in, so that Triton never sees half of it. Returns it.
    """
    config = template / "config.pbtxt"
    if not config.exists():
        raise OperatorError(f"no model template in {template}: it must hold config.pbtxt and model.py")
    if not model.is_dir():
        raise OperatorError(f"no trained model in {model}: train one with `footfall train`, or set FOOTFALL_MODEL_DIR")
    building = repository / f".{name}.{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    inside = building / "1"
    shutil.copytree(model, inside)
    for path in template.iterdir():
        if path.name == "config.pbtxt":
            (building / path.name).write_text(configure(path.read_text(), name, on_gpu=on_gpu(device)))
        elif path.is_file() and path.suffix == ".py":
            shutil.copy(path, inside)
    shutil.copy(PRECISION, inside)
    final = repository / name
    shutil.rmtree(final, ignore_errors=True)
    building.rename(final)
    return final


def configure(template: str, name: str, *, on_gpu: bool) -> str:
    """A model's `config.pbtxt` under its own name, its instances on the CPU or on a GPU.

    A GPU takes the largest batch that there is: 64 texts last hardly longer than one.
    """
    named = _NAME.sub(f'name: "{name}"', template)
    return _PREFERRED.sub("", named).replace("KIND_CPU", "KIND_GPU") if on_gpu else named


def on_gpu(device: Device) -> bool:
    """Whether to run a model on a GPU: `auto` does where this machine has one that it can run on."""
    return device == "cuda" or (device == "auto" and has_gpu() and not outdated())


def has_gpu() -> bool:
    """Whether this machine has a GPU that CUDA runs on."""
    return any(path.exists() for path in GPUS)


def outdated() -> int:
    """The release of the GPU's driver where it is too old for the model; 0 where it is not, or tells none."""
    found = _RELEASE.search(DRIVER.read_text()) if DRIVER.exists() else None
    release = int(found[1]) if found else OLDEST_DRIVER
    return release if release < OLDEST_DRIVER else 0


def card() -> str:
    """The name of the first GPU, as its driver tells it; empty where it does not."""
    for path in sorted(GPUS[0].glob("*/information")):
        for line in path.read_text().splitlines():
            if line.startswith("Model:"):
                return line.removeprefix("Model:").strip()
    return ""


def any_on_gpu(repository: Path) -> bool:
    """Whether a model of the repository is configured for a GPU."""
    return any("KIND_GPU" in path.read_text() for path in repository.glob("*/config.pbtxt"))


def wanted(repository: Path) -> list[str]:
    """The models that Triton must load: the versions of BERT in use, and whatever else is in the repository."""
    in_use = registries.read(repository).in_use
    return [name for name in _names(repository) if name in in_use or not registries.is_version(name)]


def vital(repository: Path) -> list[str]:
    """Those of them without which the server is broken: a version on trial is not."""
    serving = registries.read(repository).serving
    return [name for name in _names(repository) if name == serving or not registries.is_version(name)]


def _names(repository: Path) -> list[str]:
    return sorted(path.parent.name for path in repository.glob("[!.]*/config.pbtxt"))
