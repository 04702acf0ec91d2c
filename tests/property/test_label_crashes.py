"""The label and learn stages killed at any point: each example is the same however often, and is learned once."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import msgspec
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from online.labels import Horizons
from schemas.behaviours import Behaviour
from schemas.outputs import Example, Interaction, Score, encode
from stream.kafka.producer import Headers
from stream.kafka.transport import Run
from stream.stages.label import LabelPartition
from tests.property.test_online_labels import make_score

DAY = 86_400_000
HORIZONS = Horizons(churn_ms=30 * DAY, intent_ms=7 * DAY, lateness_ms=DAY, value_ms=40 * DAY)
CUSTOMERS = ("ann", "bob")
Store = dict[bytes, bytes]


@st.composite
def logs(draw: st.DrawFn) -> list[Score | Interaction]:
    """What two customers did and what was predicted of them, in order of time; the end of it matures everything."""
    found: list[Score | Interaction] = []
    for n in range(draw(st.integers(1, 25))):
        customer, at = draw(st.sampled_from(CUSTOMERS)), draw(st.integers(0, 60)) * DAY + n
        if draw(st.booleans()):
            found.append(msgspec.structs.replace(make_score(at, n), customer=customer, id=f"{customer}{n}"))
        else:
            kind = draw(st.sampled_from([Behaviour.ORDER, Behaviour.ORDER, Behaviour.CANCEL, Behaviour.REFUND]))
            found.append(_told(customer, at, kind, draw(st.integers(1, 5)), n + 1))
    found.sort(key=lambda one: one.at)
    return [*found, _told("end", 200 * DAY, Behaviour.VIEW, 0, 0)]


def _told(customer: str, at: int, kind: Behaviour, order: int, event: int) -> Interaction:
    return Interaction(
        customer=customer, session=at, item="", behaviour=kind, at=at, order=order, event=event,
        amount={Behaviour.ORDER: 100, Behaviour.REFUND: 10}.get(kind), currency="USD",
    )  # fmt: skip


class Worker:
    """A partition over a store of its own; what it sends is kept, as Kafka would."""

    def __init__(self, store: Store, sent: list[Example]) -> None:
        self.store, self._sent = store, sent
        self._state = LabelPartition(0, HORIZONS, "scores", 1)
        for key, value in store.items():
            self._state.restore(key, value)

    def read(self, records: Sequence[Score | Interaction]) -> None:
        asyncio.run(self._read(records))

    async def _read(self, records: Sequence[Score | Interaction]) -> None:
        for record in records:
            topic = "scores" if isinstance(record, Score) else "interactions"
            one = SimpleNamespace(key=record.customer.encode(), value=encode(record), offset=0)
            await self._state.process(Run(TP(topic, 0), [one]), self._out)

    def _out(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        assert (topic, partition, headers) == ("examples", 0, None)
        example = msgspec.json.decode(value or b"", type=Example)
        assert key == example.id.encode()
        self._sent.append(example)

    def barrier(self, share: float = 1.0) -> None:
        """Write what changed, or, killed meanwhile, only the first of it."""
        changes = list(self._state.changes())
        for key, value in changes[: round(share * len(changes))]:
            if value is None:
                self.store.pop(key, None)
            else:
                self.store[key] = value


@settings(max_examples=60)
@given(logs(), st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25), st.floats(0, 1)), max_size=4))
def test_a_crash_at_any_point_changes_no_example(
    log: list[Score | Interaction], crashes: list[tuple[int, int, float]]
) -> None:
    calm: list[Example] = []
    Worker({}, calm).read(log)
    struck: list[Example] = []
    worker = Worker({}, struck)
    committed = 0
    for more, lost, share in crashes:
        upto = min(len(log) - 1, committed + more)
        worker.read(log[committed:upto])
        worker.barrier()
        committed = upto
        # What is read now is not committed; of its state some is written, and it is read again.
        worker.read(log[committed : min(len(log) - 1, committed + lost)])
        worker.barrier(share)
        worker = Worker(worker.store, struck)
    worker.read(log[committed:])
    worker.barrier()
    assert {e.id: e for e in struck} == {e.id: e for e in calm}
    assert len({e.id for e in calm}) == len(calm)
    # What comes twice says the same, so that whoever learns can drop it by its id.
    assert all(e == {c.id: c for c in calm}[e.id] for e in struck)
    assert not [key for key in worker.store if key.startswith(b"p:")]
