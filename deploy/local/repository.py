"""The model repository that Triton reads: the template of `deploy/triton/`, filled with a trained model's files."""

import os
import shutil
from pathlib import Path

from schemas.errors import OperatorError


def assemble(template: Path, model: Path, repository: Path, name: str, version: int = 1) -> Path:
    """Lay out `repository/name`: `config.pbtxt` on top, `model.py` and the model's own files in the version's folder.

    The folder is built beside its place and swapped in, so that Triton never sees half of it. Returns it.
    """
    config = template / "config.pbtxt"
    if not config.exists():
        raise OperatorError(f"no model template in {template}: it must hold config.pbtxt and model.py")
    if not model.is_dir():
        raise OperatorError(f"no trained model in {model}: train one with `footfall train`, or set FOOTFALL_MODEL_DIR")
    building = repository / f".{name}.{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    inside = building / str(version)
    shutil.copytree(model, inside)
    for path in template.iterdir():
        if path.name == "config.pbtxt":
            shutil.copy(path, building)
        elif path.is_file() and path.suffix == ".py":
            shutil.copy(path, inside)
    final = repository / name
    shutil.rmtree(final, ignore_errors=True)
    building.rename(final)
    return final
