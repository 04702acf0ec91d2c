"""The same pure functions for those who keep a profile as bytes, or as an object, in a store of their own."""

from schemas.decode import decode
from stream.features.apply import apply, prune
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine, Record
from stream.features.profile import Profile

CURRENCY = "USD"
# The engine prunes once a flush, whatever came in between; who writes at every event need not prune at each either.
PRUNE_EVERY = 8


class Work:
    """One event into one profile. With outputs, snapshots and interactions come from the engine's own policy.

    Timers are left out: silence is what the stores of the others cannot see.
    """

    def __init__(self, *, outputs: bool) -> None:
        self._engine = Engine(Config(currency=CURRENCY)) if outputs else None

    def on_bytes(
        self, raw: bytes, state: bytes | None, source: int, offset: int, arrived: int
    ) -> tuple[bytes, list[Record]]:
        """The profile's new bytes after the event `raw`, and what it gave rise to."""
        profile, records = self.on_profile(raw, decode_profile(state) if state else None, source, offset, arrived)
        return encode_profile(profile), records

    def on_profile(
        self, raw: bytes, profile: Profile | None, source: int, offset: int, arrived: int
    ) -> tuple[Profile, list[Record]]:
        """The same with the profile as an object, which is changed."""
        event = decode(raw, CURRENCY)
        profile = profile or Profile(event.customer)
        records: list[Record] = []
        if self._engine is None:
            apply(profile, event, CURRENCY)
        else:
            self._engine.profiles = {event.customer: profile}
            records = self._engine.apply(event, source, offset, arrived)
        if profile.events % PRUNE_EVERY == 0:
            prune(profile, profile.last)
        return profile, records
