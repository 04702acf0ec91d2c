"""The engine of one partition: its profiles, its clock and its timers. Events in, snapshots and interactions out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from schemas.behaviours import Behaviour, Event
from schemas.errors import Reason, Rejected
from schemas.money import to_major
from schemas.outputs import Interaction, Snapshot, make_id
from schemas.outputs import Moment as Told
from stream.features import derive, policy, timers
from stream.features.apply import apply, prune
from stream.features.codec import decode_profile, read_header
from stream.features.profile import Moment, Profile
from stream.features.timers import EXPIRED, Delays
from stream.features.vector import features_at

Record = Snapshot | Interaction

_ITEM_BEHAVIOURS = frozenset(
    {Behaviour.CLICK, Behaviour.VIEW, Behaviour.CART_ADD, Behaviour.CART_REMOVE, Behaviour.WISHLIST, Behaviour.REVIEW}
)


@dataclass(frozen=True, slots=True)
class Config:
    """What the engine needs to know of the installation; durations in ms. Without `emit` it keeps profiles only."""

    currency: str = "USD"
    ahead: int = 3_600_000
    lateness: int = 86_400_000
    debounce: int = 600_000
    emit: bool = True
    delays: Delays = field(default_factory=Delays)


class Engine:
    """Profiles of one partition. Pure but for its own state: time and offsets are passed in.

    The clock is the newest event time seen, never ahead of an event's arrival; once it has caught up with the wall
    clock (to `lateness`), `idle` lets it follow the wall, so that silence is seen without traffic.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.profiles: dict[str, Profile] = {}
        self.dirty: set[str] = set()
        self.clock = 0
        self.late = 0
        self.repeated = 0
        self._heap: list[tuple[int, str]] = []
        self._armed: dict[str, int] = {}
        # Stored profiles that nobody has touched since: they are decoded when somebody does.
        self._asleep: dict[str, bytes] = {}

    def __len__(self) -> int:
        """How many profiles there are."""
        return len(self.profiles) + len(self._asleep)

    def due(self, customer: str) -> int:
        """A time before which no timer of the customer's is due; 0 where that is not known."""
        return self._armed.get(customer, 0)

    def restore_stored(self, customer: str, raw: bytes) -> None:
        """Take over a stored profile as it is, undecoded. `ValueError` where it cannot be read."""
        header = read_header(raw)
        self._asleep[customer] = raw
        self.clock = max(self.clock, header.touched)
        self._push(customer, header.due)

    def forget(self, customer: str) -> None:
        """The customer has no profile any more, whatever was restored before."""
        self.profiles.pop(customer, None)
        self._asleep.pop(customer, None)

    def _wake(self, customer: str) -> Profile | None:
        raw = self._asleep.pop(customer, None)
        if raw is None:
            return None
        profile = self.profiles[customer] = decode_profile(raw)
        return profile

    def restore(self, profile: Profile) -> None:
        """Take over a stored profile, with its timers; the clock becomes at least its last behaviour."""
        self.profiles[profile.customer] = profile
        self.clock = max(self.clock, profile.touched)
        self._arm(profile)

    def apply(self, event: Event, source: int, offset: int, arrived: int) -> list[Record]:
        """One event of input topic `source` at `offset`; fires what was due before it. Raises `Rejected`.

        An event that the profile already holds (read again after a crash, or a repeat) changes nothing.
        """
        if event.at > arrived + self.config.ahead:
            raise Rejected(Reason.TIMESTAMP_AHEAD, "the event lies ahead of its arrival", "$.timestamp")
        records = self.advance(min(event.at, arrived), arrived)
        profile = self.profiles.get(event.customer) or self._wake(event.customer)
        if profile is None:
            profile = self.profiles[event.customer] = Profile(event.customer)
        elif profile.applied.get(source, -1) >= offset:
            self.repeated += 1
            return records
        profile.applied[source] = offset
        if not apply(profile, event, self.config.currency):
            self.repeated += 1
            return records
        profile.touched = self.clock
        self.dirty.add(event.customer)
        if self.config.emit:
            records.extend(self._interactions(profile, event))
        if event.at < self.clock - self.config.lateness:
            # History that came late is counted, but what it would have triggered is over.
            self.late += 1
            profile.fired = max(profile.fired, self.clock)
        elif self.config.emit:
            trigger = policy.on_event(profile, event, self.config.debounce, self.config.delays.session_gap)
            if trigger:
                records.append(self.snapshot(profile, trigger, profile.last, arrived, event.message))
        self._arm_for_event(profile, event.at)
        return records

    def advance(self, clock: int, now: int) -> list[Record]:
        """Move the clock (never back) and fire what is due, in order of time; `now` is the wall clock."""
        records: list[Record] = []
        if clock <= self.clock:
            return records
        self.clock = clock
        heap = self._heap
        while heap and heap[0][0] <= clock:
            due, customer = heappop(heap)
            if self._armed.get(customer) != due:
                continue
            profile = self.profiles.get(customer) or self._wake(customer)
            if profile is None:
                continue
            del self._armed[customer]
            records.extend(self._fire(profile, now))
            if customer in self.profiles:
                self._arm(profile)
        return records

    def idle(self, now: int) -> list[Record]:
        """Follow the wall clock when no events come, once caught up with it: a replay of history stays in history."""
        return self.advance(now, now) if self.clock > now - self.config.lateness else []

    def flush(self) -> Iterator[tuple[str, Profile | None]]:
        """The profiles changed since the last flush, pruned; None for those that were forgotten."""
        dirty, self.dirty = self.dirty, set()
        for customer in dirty:
            profile = self.profiles.get(customer)
            if profile is not None:
                # A snapshot may yet be taken as of her last behaviour, which an event that comes late does not move.
                prune(profile, max(profile.last, self.clock - self.config.lateness))
            yield customer, profile

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
            story=[self._told(moment) for moment in profile.story],
            cart=list(derive.cart(profile).items),
            owned=list(profile.owned),
            currency=config.currency,
            applied=dict(profile.applied),
        )

    def _told(self, moment: Moment) -> Told:
        amount = to_major(moment.amount, self.config.currency) if moment.amount else None
        return Told(
            moment.at, Behaviour(moment.behaviour), moment.item, moment.category, amount, moment.pieces, moment.words
        )

    def _interactions(self, profile: Profile, event: Event) -> Iterator[Interaction]:
        behaviour = event.behaviour
        if behaviour in _ITEM_BEHAVIOURS or behaviour == Behaviour.ORDER:
            session = derive.session_start(profile.story, event.at, self.config.delays.session_gap)
            for item, category in [(line.item, line.category) for line in event.lines] or [("", "")]:
                yield Interaction(
                    customer=event.customer,
                    session=session,
                    item=item,
                    behaviour=behaviour,
                    at=event.at,
                    category=category,
                    order=event.order,
                )
        elif behaviour == Behaviour.CANCEL and event.amount is None:
            yield Interaction(
                customer=event.customer, session=event.at, item="", behaviour=behaviour, at=event.at, order=event.order
            )

    def _fire(self, profile: Profile, now: int) -> Iterator[Snapshot]:
        due = [timer for timer in timers.pending(profile, self.config.delays) if timer.due <= self.clock]
        for timer in due:
            profile.fired = timer.due
            self.dirty.add(profile.customer)
            if timer.kind == EXPIRED:
                del self.profiles[profile.customer]
                return
            if self.config.emit and policy.on_timer(profile, timer.kind, self.config.delays.session_gap):
                yield self.snapshot(profile, timer.kind, timer.due, now, timer.due)

    def _arm(self, profile: Profile) -> None:
        due = timers.pending(profile, self.config.delays)
        if due:
            self._push(profile.customer, due[0].due)

    def _arm_for_event(self, profile: Profile, at: int) -> None:
        # Every other timer lies behind the session's end, and is armed when that fires.
        due = max(at + self.config.delays.session_gap, profile.fired + 1)
        if due < self._armed.get(profile.customer, due + 1):
            self._push(profile.customer, due)

    def _push(self, customer: str, due: int) -> None:
        self._armed[customer] = due
        heappush(self._heap, (due, customer))
