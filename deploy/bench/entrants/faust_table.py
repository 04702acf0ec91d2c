"""faust_table: a plain Faust agent with a `Table`, its changelog included, on Faust's own transport.

The table holds profiles as objects and writes each change as the compact bytes of `encode_profile`.
"""

import asyncio
from pathlib import Path
from typing import Any

import faust
from faust.serializers import codecs

from deploy.bench.job import Job, Marks
from deploy.bench.work import Work
from schemas.outputs import Interaction, encode
from stream.features.codec import decode_profile, encode_profile

COMMIT_S = 0.05


class ProfileCodec(codecs.Codec):  # type: ignore[misc]
    """A profile as bytes, for the changelog."""

    def _dumps(self, obj: Any) -> bytes:
        return encode_profile(obj)

    def _loads(self, s: bytes) -> Any:
        return decode_profile(s)


def application(job: Job) -> faust.App:
    """The app: one agent over both topics, one table."""
    codecs.register("profile", ProfileCodec())
    app = faust.App(
        job.group,
        broker=f"kafka://{job.brokers}",
        datadir=str(Path(job.folder) / "faust"),
        store="memory://",
        web_enabled=False,
        topic_partitions=job.partitions,
        broker_commit_interval=3.0,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="lz4",
        producer_linger=0.005,
    )
    names = (job.topic("clickstream"), job.topic("orders"))
    topic = app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    table = app.Table(
        "profiles",
        partitions=job.partitions,
        key_type=bytes,
        value_type=bytes,
    )
    table.value_serializer = "profile"
    outputs = {
        name: app.topic(job.output(name), key_type=bytes, value_type=bytes, value_serializer="raw")
        for name in ("features", "interactions")
    }
    work = Work(outputs=job.outputs)
    pending: set[asyncio.Task[None]] = set()
    marks = Marks(job.total, lambda: pending.add(asyncio.get_running_loop().create_task(_finish(app))))

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def profile(stream: Any) -> None:
        async for event in stream.events():
            marks.begin()
            message = event.message
            source = int(message.topic == names[1])
            arrived = int(message.timestamp * 1000)
            changed, records = work.on_profile(event.value, table.get(event.key), source, message.offset, arrived)
            table[event.key] = changed
            for record in records:
                to = outputs["interactions" if isinstance(record, Interaction) else "features"]
                await to.send(key=event.key, value=encode(record))
            marks.done()

    return app


async def _finish(app: faust.App) -> None:
    # Once the agent has asked for the next event, the last one is acknowledged.
    while True:
        await asyncio.sleep(COMMIT_S)
        await app.producer.flush()
        await app.consumer.commit()


def main() -> None:
    """Run until terminated."""
    app = application(Job.given())
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
