"""What the supervisor knows of a part: how to prepare and start it, and how to tell that it truly works."""

from collections.abc import Callable
from typing import Protocol

from deploy.local.ports import Port
from deploy.local.process import Command

Say = Callable[[str], None]


class NotReady(Exception):
    """A part does not do its work yet; the message says what is missing."""


class Part(Protocol):
    """One part of the stack. Every method may block: the supervisor calls them outside its event loop."""

    @property
    def name(self) -> str:
        """The word by which it is selected, logged and shown."""

    @property
    def address(self) -> str:
        """Where others reach it."""

    @property
    def ports(self) -> tuple[Port, ...]:
        """Where it will listen: checked before anything is started."""

    @property
    def ready_s(self) -> float:
        """How long it may take from start to readiness."""

    @property
    def watched(self) -> bool:
        """Whether a part that runs may still be broken: then it is probed all the time, and restarted when it fails."""

    def prepare(self, say: Say) -> None:
        """Fetch, lay out, check. OperatorError where the operator has to act."""

    def command(self) -> Command | None:
        """What to run; None where `prepare` was all there is to do."""

    def probe(self) -> None:
        """Return once the part has done a piece of its real work; NotReady otherwise."""

    def clean(self) -> None:
        """Remove what its processes leave behind; called once all of them are gone, however they ended."""
