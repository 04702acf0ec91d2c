"""quix: Quix Streams with its RocksDB store and changelog topic. It runs in an environment of its own.

Tuned as far as its documentation goes: raw bytes in, bytes in the store (no JSON), a commit in ten seconds, as ours has
while it catches up. Both topics share one store, so they are concatenated.
"""

import logging
from pathlib import Path
from typing import Any

from quixstreams import Application, State, message_context
from quixstreams.models import Serializer, Topic

from deploy.bench.job import Job, Marks
from deploy.bench.work import Work
from schemas.outputs import Interaction, encode

KEY = "p"


class Processor:
    """What the dataframe applies to each record."""

    def __init__(self, job: Job, marks: Marks) -> None:
        self._work = Work(outputs=job.outputs)
        self._marks = marks
        self._orders = job.topic("orders")

    def keep(self, value: bytes, state: State) -> None:
        """Only the state."""
        self._marks.begin()
        new, _ = self._work.on_bytes(value, state.get_bytes(KEY), 0, 0, 0)
        state.set_bytes(KEY, new)
        self._marks.done()

    def tell(self, value: bytes, _key: Any, timestamp: int, _headers: Any, state: State) -> list[Any]:
        """The state, and what there is to send."""
        self._marks.begin()
        context = message_context()
        source = int(context.topic == self._orders)
        new, records = self._work.on_bytes(value, state.get_bytes(KEY), source, context.offset or 0, timestamp)
        state.set_bytes(KEY, new)
        self._marks.done()
        return list(records)


def main() -> None:
    """Run until the last record is processed and committed."""
    job = Job.given()
    app = Application(
        broker_address=job.brokers,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        commit_interval=10.0,
        state_dir=Path(job.folder) / "state",
        loglevel=logging.WARNING,
        consumer_extra_config={"fetch.message.max.bytes": 4 * 1024 * 1024},
        producer_extra_config={"compression.type": "lz4"},
    )
    processor = Processor(job, Marks(job.total, app.stop))
    inputs = [_topic(app, job.topic(name), "bytes") for name in ("clickstream", "orders")]
    both = app.dataframe(inputs[0]).concat(app.dataframe(inputs[1]))
    if job.outputs:
        topics = {name: _topic(app, job.output(name), Encoder()) for name in ("features", "interactions")}

        def where(value: Any, *_: Any) -> Topic:
            return topics["interactions" if isinstance(value, Interaction) else "features"]

        both.apply(processor.tell, stateful=True, expand=True, metadata=True).to_topic(where)
    else:
        both.update(processor.keep, stateful=True)
    app.run()


def _topic(app: Application, name: str, serializer: Any) -> Topic:
    return app.topic(
        name,
        key_deserializer="bytes",
        key_serializer="bytes",
        value_deserializer="bytes",
        value_serializer=serializer,
    )


class Encoder(Serializer):  # type: ignore[misc]
    """A snapshot or an interaction as JSON."""

    def __call__(self, value: Any, ctx: Any) -> bytes:  # noqa: ARG002
        return encode(value)


if __name__ == "__main__":
    main()
