"""A Faust app as every stage is one: the packed transport, no tables, no web server, commits when a barrier says so."""

import faust

from schemas.topics import Topic
from stream.kafka.transport import AHEAD
from stream.settings import Settings


def faust_app(settings: Settings, name: str, group: str, run_records: int) -> faust.App:
    """The app of one stage, which hands on runs of at most `run_records`."""
    brokers = ";".join(f"packed://{broker.strip()}" for broker in settings.kafka_brokers.split(","))
    datadir = settings.data_dir / "faust" / name
    datadir.mkdir(parents=True, exist_ok=True)
    return faust.App(
        group,
        broker=brokers,
        datadir=str(datadir),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 10,
        broker_commit_interval=settings.flush_interval_s,
        broker_max_poll_records=AHEAD * run_records,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=4 * 1024 * 1024,
        stream_buffer_maxsize=4,
        stream_wait_empty=False,
    )


def input_topic(app: faust.App, settings: Settings, inputs: tuple[Topic, ...]) -> faust.TopicT:
    """The inputs as one topic of raw bytes: what Faust would decode and fail on ends an agent without a word."""
    return app.topic(
        *(settings.topic(topic.name) for topic in inputs),
        value_type=bytes,
        key_type=bytes,
        value_serializer="raw",
        key_serializer="raw",
    )
