"""The engine of one partition: its profiles, its clock and its timers. Events in, snapshots and interactions out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

import msgspec

from schemas.behaviours import Behaviour
from schemas.errors import Reason, Rejected
from schemas.event import Event
from schemas.money import exponent
from schemas.outputs import Interaction, Review, Snapshot, make_id
from schemas.outputs import Moment as Told
from stream.features import derive, policy, timers
from stream.features.align import LIVE_MS
from stream.features.apply import ORDER_CHANGES, apply, prune
from stream.features.codec import decode_profile, read_header
from stream.features.interactions import interactions, of_order
from stream.features.kept import Moment
from stream.features.marker import Marker
from stream.features.memory import beyond
from stream.features.profile import Profile
from stream.features.timers import EXPIRED, Delays
from stream.features.vector import features_at

Record = Snapshot | Interaction

REVIEW_CHARACTERS = 1_000  # of a review's text that are read
_SCORED = Behaviour.REVIEW_SCORED
_BEHAVIOURS = tuple(Behaviour)  # by number
_ORDER = Behaviour.ORDER


@dataclass(frozen=True, slots=True)
class Config:
    """What the engine needs to know of the installation; durations in ms.

    Without `emit` profiles are kept up and timers pass, and nothing is told: to build a store anew from the logs.
    """

    currency: str = "USD"
    ahead: int = 3_600_000
    lateness: int = 86_400_000
    debounce: int = 600_000
    emit: bool = True
    delays: Delays = field(default_factory=Delays)


class Engine:
    """Profiles of one partition. Pure but for its own state: time and offsets are passed in.

    The clock is the newest event time seen, never ahead of an event's arrival. Once an event has arrived within a
    minute of its time it is `live`: `idle` lets it follow the wall clock, so that silence is seen without traffic.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._ahead, self._lateness, self._gap = config.ahead, config.lateness, config.delays.session_gap
        self.profiles: dict[str, Profile] = {}
        self.dirty: set[str] = set()
        self.clock = 0
        self.live = False
        self.late = 0
        self.repeated = 0
        # The last offset of each source: every profile holds all of its customer's events up to it.
        self._offsets: dict[int, int] = {}
        # As they were at the last flush: mostly one and the same for all profiles that were written then.
        self._written: dict[int, int] = {}
        # The last offset of each source that a restored profile may hold already.
        self._reread: dict[int, int] = {}
        self.unverifiable = 0
        self._heap: list[tuple[int, str]] = []
        self._marked = False
        # Stored profiles that nobody has touched since: they are decoded when somebody does, or when they are due.
        self._asleep: dict[str, bytes] = {}
        self._asleep_until: dict[str, int] = {}

    def __len__(self) -> int:
        """How many profiles there are."""
        return len(self.profiles) + len(self._asleep)

    def __contains__(self, customer: str) -> bool:
        """Whether the customer has a profile."""
        return customer in self.profiles or customer in self._asleep

    def find(self, customer: str) -> Profile | None:
        """The customer's profile, decoded if need be."""
        return self.profiles.get(customer) or self._wake(customer)

    def restore(self, profile: Profile) -> None:
        """Take over a stored profile, with its timers. In a store that has no marker the newest tells the clock."""
        self.profiles[profile.customer] = profile
        self._take_over(profile.touched, profile.applied)
        self.arm(profile)

    def restore_stored(self, customer: str, raw: bytes) -> None:
        """As `restore`, with the profile as it is stored: it is decoded when it is first touched.

        `ValueError` where its header cannot be read.
        """
        header = read_header(raw)
        self.forget(customer)
        if header.sending:
            self.restore(decode_profile(raw))
            return
        self._asleep[customer] = raw
        self._take_over(header.touched, header.applied)
        due = self._asleep_until[customer] = max(header.due, header.touched + 1)
        heappush(self._heap, (due, customer))

    def _take_over(self, touched: int, applied: dict[int, int]) -> None:
        if touched > self.clock and not self._marked:
            self.clock = touched
        reread = self._reread
        for source, offset in applied.items():
            if offset > reread.get(source, -1):
                reread[source] = offset

    def forget(self, customer: str) -> None:
        """The customer has no profile any more, whatever was restored before."""
        self.profiles.pop(customer, None)
        self._asleep.pop(customer, None)
        self._asleep_until.pop(customer, None)

    def due(self, customer: str) -> int:
        """A time before which no timer of the customer's is due; 0 where that is not known."""
        profile = self.profiles.get(customer)
        return self._asleep_until.get(customer, 0) if profile is None else profile.armed

    def _wake(self, customer: str) -> Profile | None:
        raw = self._asleep.pop(customer, None)
        if raw is None:
            return None
        profile = self.profiles[customer] = decode_profile(raw)
        profile.armed = self._asleep_until.pop(customer)
        return profile

    def resume(self, marker: Marker) -> None:
        """Take over the clock: where it stood at the last whole barrier, whatever newer profiles say."""
        self.clock, self.live = marker.clock, marker.live
        self._marked = True

    def marker(self) -> Marker:
        """The clock, to be stored behind the profiles that it belongs to."""
        return Marker(self.clock, self.live)

    def applied(self) -> dict[int, int]:
        """The newest offset of each source that any profile holds."""
        return self._reread | {s: offset for s, offset in self._offsets.items() if offset > self._reread.get(s, -1)}

    def time(self, at: int, arrived: int) -> int:
        """Where an event moves the clock to: its own time, but never ahead of its arrival. Raises `Rejected`."""
        if at <= arrived:
            return at
        if at > arrived + self._ahead:
            raise Rejected(Reason.TIMESTAMP_AHEAD, "the event lies ahead of its arrival", "$.timestamp")
        return arrived

    def apply(self, event: Event, source: int, offset: int, arrived: int) -> list[Record]:
        """One event of input topic `source` at `offset`; fires what was due before it. Raises `Rejected`.

        An event that the profile already holds (read again after a crash, or a repeat) changes nothing.
        """
        at, customer, behaviour = event.at, event.customer, event.behaviour
        clock = at if at <= arrived else self.time(at, arrived)
        records: list[Record] = []
        if clock > self.clock:
            heap = self._heap
            if (heap and heap[0][0] <= clock) or arrived - clock < LIVE_MS:
                records = self.advance(clock, arrived)
            else:
                self.clock = clock
        self._offsets[source] = offset
        profile = self.profiles.get(customer) or self._wake(customer)
        if profile is None:
            if behaviour is _SCORED:
                return records  # She was erased meanwhile, or is silent for years: no profile comes of this.
            profile = self.profiles[customer] = Profile(customer)
        elif offset <= self._reread.get(source, -1) and offset <= profile.applied.get(source, -1):
            self.repeated += 1
            return records
        if behaviour is _SCORED:
            self._hear(profile, event)
            return records
        changes_order = behaviour in ORDER_CHANGES
        if changes_order or at <= profile.last:
            self.unverifiable += beyond(profile, event)
        # Also where it is a repeat: an order's second report may move the order.
        if not profile.dirty:
            profile.dirty = True
            self.dirty.add(customer)
        report = behaviour is _ORDER and event.message not in profile.seen
        if not apply(profile, event, self.config.currency):
            self.repeated += 1
            self._arm_for_event(profile, event)
            if report and self.config.emit:
                # Its time and total may be other ones; its items have been told.
                records.append(msgspec.structs.replace(of_order(profile, event, self._gap), items=[]))
            return records
        profile.touched = self.clock
        if event.known:
            profile.known = True
        if at < self.clock - self._lateness:
            # History that came late is counted, but what it would have triggered is over.
            self.late += 1
            profile.fired = max(profile.fired, self.clock)
        if self.config.emit:
            self._tell(profile, event, arrived, records)
        # Mostly the session's end is armed already, and is moved on when it is due.
        if changes_order or not profile.armed or profile.armed > at + self._gap:
            self._arm_for_event(profile, event)
        return records

    def _hear(self, profile: Profile, event: Event) -> None:
        """How content a review reads: no behaviour of hers, so no timer moves and nothing is told."""
        if apply(profile, event, self.config.currency):
            self.dirty.add(profile.customer)
        else:
            self.repeated += 1

    def _tell(self, profile: Profile, event: Event, arrived: int, records: list[Record]) -> None:
        records.extend(interactions(profile, event, self._gap, self.config.currency))
        if event.at >= self.clock - self._lateness:
            trigger = policy.on_event(profile, event, self.config.debounce, self._gap)
            if trigger:
                snapshot = self.snapshot(profile, trigger, profile.last, arrived, event.message)
                if event.behaviour is Behaviour.REVIEW:
                    snapshot = msgspec.structs.replace(snapshot, review=_review(event))
                records.append(snapshot)

    def advance(self, clock: int, now: int) -> list[Record]:
        """Move the clock (never back) and fire what is due, in order of time; `now` is the wall clock."""
        records: list[Record] = []
        if clock <= self.clock:
            return records
        self.clock = clock
        if now - clock < LIVE_MS:
            self.live = True
        heap = self._heap
        while heap and heap[0][0] <= clock:
            armed, customer = heappop(heap)
            profile = self.profiles.get(customer)
            if armed != (self._asleep_until.get(customer) if profile is None else profile.armed):
                continue
            profile = profile or self._wake(customer)
            if profile is None:
                continue
            profile.armed = 0
            due, kind = timers.soonest(profile, self.config.delays)
            if kind and due <= armed:
                self._fire(profile, due, kind, now, records)
            elif kind:
                self._push(profile, max(due, profile.touched + 1))
        return records

    def idle(self, now: int) -> list[Record]:
        """Follow the wall clock when no events come, once caught up with it: a replay of history stays in history."""
        return self.advance(now, now) if self.live else []

    def flush(self) -> Iterator[tuple[str, Profile | None]]:
        """The profiles changed since the last flush, pruned; None for those that were forgotten."""
        dirty, self.dirty = self.dirty, set()
        before = self._written
        newest = self._written = self._applied(before)
        for customer in dirty:
            profile = self.profiles.get(customer)
            if profile is not None:
                profile.dirty = False
                # A snapshot may yet be taken as of her last behaviour, which an event that comes late does not move.
                prune(profile, max(profile.last, self.clock - self._lateness))
                applied = newest if profile.applied is before else self._applied(profile.applied)
                profile.applied = newest if applied == newest else applied
            yield customer, profile

    def _applied(self, before: dict[int, int]) -> dict[int, int]:
        # While the log is read again after a crash, a restored profile may be ahead of the engine.
        applied = before.copy()
        for source, offset in self._offsets.items():
            if offset > applied.get(source, -1):
                applied[source] = offset
        return applied

    def snapshot(self, profile: Profile, trigger: str, at: int, arrived: int, cause: int) -> Snapshot:
        """The profile as of `at`, to be scored; its id follows from customer, trigger and what caused it.

        A timer that late events moved into the past is told as of the last behaviour: no snapshot knows its future.
        """
        at = max(at, profile.last)
        profile.scored = max(profile.scored, at)
        config = self.config
        return Snapshot(
            id=make_id(profile.customer, trigger, cause),
            customer=profile.customer,
            at=at,
            trigger=trigger,
            arrived=arrived,
            features=features_at(profile, at, config.currency, config.delays.session_gap),
            story=self._told(profile.story),
            cart=list(derive.cart(profile).items),
            owned=list(profile.owned),
            currency=config.currency,
            applied=self._applied(profile.applied),
        )

    def _told(self, story: list[Moment]) -> list[Told]:
        unit = 10.0 ** exponent(self.config.currency)
        return [
            Told(
                m.at,
                _BEHAVIOURS[m.behaviour],
                m.item,
                m.category,
                m.amount / unit if m.amount else None,
                m.pieces,
                m.words,
            )
            for m in story
        ]

    def _fire(self, profile: Profile, due: int, kind: str, now: int, records: list[Record]) -> None:
        profile.fired = due
        self.dirty.add(profile.customer)
        if kind == EXPIRED:
            del self.profiles[profile.customer]
            return
        if self.config.emit and policy.on_timer(profile, kind, self._gap):
            records.append(self.snapshot(profile, kind, due, now, due))
        self.arm(profile)

    def drop(self, customer: str) -> None:
        """The customer's profile is to be gone, from the store as well, with its timers."""
        if customer in self:
            self.forget(customer)
            self.dirty.add(customer)

    def changed(self, profile: Profile, at: int = 0) -> None:
        """A profile was changed from outside, because of something at `at`: it is written, and its timers follow."""
        profile.touched = max(profile.touched, self.clock, at)
        self.dirty.add(profile.customer)
        self.arm(profile)

    def arm(self, profile: Profile) -> None:
        """Set the profile's next timer anew."""
        due, kind = timers.soonest(profile, self.config.delays)
        if kind:
            # What an event that came late made due fires when the clock next moves. The profile may be newer than the
            # clock, restored from a barrier that was written half: it has seen the clock of its last event already.
            self._push(profile, max(due, profile.touched + 1))

    def _arm_for_event(self, profile: Profile, event: Event) -> None:
        if event.behaviour in ORDER_CHANGES:
            # These move times that are known already, and with them what is due.
            self.arm(profile)
            return
        # Every other timer lies behind the session's end, and is armed when that fires.
        due = max(event.at + self._gap, profile.fired + 1)
        if not profile.armed or due < profile.armed:
            self._push(profile, due)

    def _push(self, profile: Profile, due: int) -> None:
        profile.armed = due
        heappush(self._heap, (due, profile.customer))


def _review(event: Event) -> Review:
    return Review(message=event.message, at=event.at, text=event.text[:REVIEW_CHARACTERS])
