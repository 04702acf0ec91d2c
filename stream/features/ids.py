"""What a profile remembers of who is whom: a user of her devices, a device of who signed in on it."""

from msgspec import Struct, field

from schemas.merges import Carry, Forward

DEVICES = 8  # devices a user remembers: bounds how often links are sent, and which carries are known to have come
LOGINS = 4  # changes of user that a device remembers: bounds whose an event that comes late is
MOVED = 24  # orders of a device that went to a user: what changes them later follows


class Device(Struct, array_like=True, gc=False):
    """One device of a user: the event time (ms) of the newest link sent for it, the newest generation taken from it."""

    linked: int = 0
    taken: int = -1


class Identity(Struct, array_like=True):
    """`devices` of a user; of a device its `logins` (time, user), orders that `moved` to whom, and slots `outgoing`.

    A slot holds what waits to be sent, and never changes: a profile under its generation, an event that came late under
    a negative number made of its message.
    """

    devices: dict[str, Device] = field(default_factory=dict)
    logins: list[tuple[int, str]] = field(default_factory=list)
    moved: dict[int, str] = field(default_factory=dict)
    outgoing: dict[int, Carry | Forward] = field(default_factory=dict)

    def device(self, name: str, at: int) -> Device:
        """The user's record of a device, new if need be; beyond `DEVICES` the one least lately linked is forgotten."""
        found = self.devices.get(name)
        if found is None:
            if len(self.devices) == DEVICES:
                del self.devices[min(self.devices, key=lambda known: (self.devices[known].linked, known))]
            found = self.devices[name] = Device(at)
        return found

    def sign_in(self, at: int, user: str) -> None:
        """Remember a login; of one user's logins in a row the last says it all.

        ::

            10:00 ann · 10:20 ann · 11:00 bob    →    until 10:20: ann's, then until 11:00: bob's, then nobody's yet
        """
        logins = sorted({*self.logins, (at, user)})
        turns = [one for one, after in zip(logins, [*logins[1:], (0, "")], strict=True) if one[1] != after[1]]
        self.logins = turns[-LOGINS:]

    def user_at(self, at: int) -> str | None:
        """Whose an event at `at` is: the first login's from then on; None when nobody has signed in since."""
        return next((user for login, user in self.logins if login >= at), None)

    def move(self, order: int, user: str) -> None:
        """Remember that an order is a user's now."""
        self.moved[order] = user
        if len(self.moved) > MOVED:
            del self.moved[next(iter(self.moved))]
