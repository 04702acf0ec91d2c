"""Progress bars as the long commands show them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def bars(*, quiet: bool) -> "Progress":
    """Bars with what is left and a few words beside; on standard error, so that output can be piped; none if quiet."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    share = TextColumn("{task.percentage:>3.0f}%")
    columns = ("{task.description}", BarColumn(), share, TimeRemainingColumn(), TextColumn("{task.fields[words]}"))
    return Progress(*columns, console=Console(stderr=True), disable=quiet)
