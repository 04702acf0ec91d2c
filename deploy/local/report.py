"""What the stack tells: one line a part, for people or for machines."""

import json

from rich.console import Console
from rich.text import Text

from deploy.local.supervisor import Announce

WIDTH = 11


def reporter(*, as_json: bool) -> Announce:
    """A function that prints one line about a part."""
    console = Console(soft_wrap=True)

    def plain(name: str, line: str) -> None:
        print(json.dumps({"part": name, "says": line}), flush=True)

    def rich(name: str, line: str) -> None:
        console.print(Text(f"{name:<{WIDTH}}", style="bold cyan"), Text(line), sep="")

    return plain if as_json else rich
