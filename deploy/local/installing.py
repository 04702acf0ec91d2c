"""Running what an installation runs: quietly, and where it fails with what it said last."""

import subprocess

from schemas.errors import OperatorError


def run(*command: str, what: str, remedy: str) -> None:
    """Run a command of the installation of `what`; raises `OperatorError`, which ends with the `remedy`."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise OperatorError(f"{what} could not be installed ({lines[-1].strip()}): {remedy}")
