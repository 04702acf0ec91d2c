"""Quix Streams in an environment of its own: it asks for older clients than Footfall's own."""

from pathlib import Path

from deploy.local import environment
from deploy.local.part import Say

REQUIREMENTS = Path(__file__).with_name("quix-requirements.txt")


def python(cache: Path, say: Say) -> str:
    """The interpreter of that environment under `cache`, made the first time. Raises `OperatorError`."""
    return environment.python(
        cache,
        "quix",
        REQUIREMENTS.read_text(),
        say,
        what="Quix Streams",
        remedy="look at the network, or leave it out with --only footfall,faust_table,floor",
    )
