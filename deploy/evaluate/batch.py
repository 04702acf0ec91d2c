"""LightGBM and BERT outside the pipeline, each in a child process of an environment that has them."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np

from deploy.evaluate import batch_child
from deploy.local import environment
from deploy.local.part import Say
from schemas.errors import OperatorError

REQUIREMENTS: Final = Path(__file__).with_name("batch-requirements.txt")
Arrays = dict[str, Any]


def run(what: str, given: Arrays, folder: Path, cache: Path, say: Say, *more: str) -> Arrays:
    """What the child answers to `given`, kept in `folder` under the digest of all that it depends on.

    Raises `OperatorError` where the environment cannot be made, or the child fails.
    """
    answered = folder / f"{what}-{_digest(given, *more)}.npz"
    if not answered.exists():
        remedy = "look at the network and the disk, and give the command again"
        wanted = REQUIREMENTS.read_text()
        python = environment.python(cache, "batch", wanted, say, what="LightGBM and ONNX", remedy=remedy)
        say(f"running {what}")
        folder.mkdir(parents=True, exist_ok=True)
        source, partial = folder / f"{what}-given.npz", folder / f"{what}-partial.npz"
        np.savez(source, **given)
        command = (python, "-I", batch_child.__file__, what, str(source), str(partial), *more)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        source.unlink()
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise OperatorError(
                f"{what} failed in its own environment ({last}): delete {cache / 'batch'} and try again"
            )
        partial.replace(answered)
    with np.load(answered) as held:
        return dict(held)


def _digest(given: Arrays, *more: str) -> str:
    digest = hashlib.blake2b(Path(batch_child.__file__).read_bytes(), digest_size=8)
    for name, array in sorted(given.items()):
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    for path in more:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()
