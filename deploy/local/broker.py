"""A real Apache Kafka broker: one node in KRaft mode, its data under the data folder, kept from one run to the next."""

import base64
import subprocess
import uuid
from pathlib import Path
from typing import ClassVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.local.jars import java, kafka_classpath
from deploy.local.part import NotReady, Say
from deploy.local.ports import LOOPBACK, Port, accepts, free_port
from deploy.local.process import Command
from schemas.errors import OperatorError
from schemas.topics import MAX_RECORD_BYTES
from stream.settings import Settings

CANARY = "footfall-canary"
PROPERTIES = f"""\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{LOOPBACK}:{{port}},CONTROLLER://{LOOPBACK}:{{controller}}
advertised.listeners=PLAINTEXT://{LOOPBACK}:{{port}}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={LOOPBACK}:{{controller}}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={{logs}}
auto.create.topics.enable=false
message.max.bytes={MAX_RECORD_BYTES}
replica.fetch.max.bytes={MAX_RECORD_BYTES}
log.retention.hours=168
log.segment.bytes=268435456
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=33554432
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
"""
LOGGING = """\
Configuration:
  status: ERROR
  Appenders:
    Console: {name: out, target: SYSTEM_OUT, PatternLayout: {pattern: "%d %-5p %c{1}: %m%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: out}}
"""


class Broker:
    """The local broker. A heap of 512 MB carries the demo and every test; the page cache does the rest."""

    name: ClassVar[str] = "kafka"
    ready_s: ClassVar[float] = 180.0
    watched: ClassVar[bool] = False

    def __init__(self, settings: Settings) -> None:
        self.address = f"{LOOPBACK}:{settings.kafka_port}"
        self.ports = (Port(settings.kafka_port, "kafka_port"),)
        self._port = settings.kafka_port
        self._folder = settings.data_dir.resolve() / "kafka"
        self._cache = settings.cache_dir.resolve() / "jars"
        self._classpath = ""

    def prepare(self, say: Say) -> None:
        """Fetch the jars, write the configuration and, on the first run, format the storage."""
        self._classpath = kafka_classpath(self._cache, say)
        self._folder.mkdir(parents=True, exist_ok=True)
        logs = self._folder / "logs"
        (self._folder / "log4j2.yaml").write_text(LOGGING)
        controller = free_port(besides=(self._port,))
        self._properties.write_text(PROPERTIES.format(port=self._port, controller=controller, logs=logs))
        if not (logs / "meta.properties").exists():
            self._format()

    def command(self) -> Command:
        """The broker as a JVM with a small heap."""
        return Command(
            (
                java(),
                "-Xmx512m",
                "-Xms128m",
                "-XX:+UseSerialGC",
                # The optimising compiler costs a third of the broker's time in its first minutes on two cores.
                "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true",
                f"-Dlog4j2.configurationFile={self._folder / 'log4j2.yaml'}",
                "-cp",
                self._classpath,
                "kafka.Kafka",
                str(self._properties),
            )
        )

    def probe(self) -> None:
        """A record produced and consumed again."""
        if not accepts(self.address):
            raise NotReady("does not listen yet")
        round_trip(self.address)

    def clean(self) -> None:
        """Nothing is left behind."""

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _format(self) -> None:
        # A cluster id that begins with '-' would be read as an option.
        cluster = "F" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        tool = [java(), "-XX:TieredStopAtLevel=1", "-cp", self._classpath, "kafka.tools.StorageTool"]
        arguments = ["format", "--standalone", "--cluster-id", cluster, "--config", str(self._properties)]
        done = subprocess.run([*tool, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            detail = (done.stderr or done.stdout).strip().splitlines()
            raise OperatorError(
                f"Kafka's storage in {self._folder} could not be formatted: {detail[-1] if detail else '?'}"
            )


def round_trip(brokers: str, timeout_s: float = 10.0) -> None:
    """Produce one record to the canary topic and consume it; NotReady where any step of that fails."""
    quiet: dict[str, str | int | float | bool] = {"bootstrap.servers": brokers, "log_level": 0}
    landed: list[tuple[int, int]] = []
    try:
        admin = AdminClient(quiet)  # by name: a client without one is destroyed, and its calls with it
        canary = NewTopic(CANARY, 1, 1, config={"retention.ms": "3600000"})
        try:
            admin.create_topics([canary])[CANARY].result(timeout_s)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        producer = Producer({**quiet, "message.timeout.ms": int(timeout_s * 1000)})
        token = uuid.uuid4().bytes

        def arrived(error: KafkaError | None, message: Message) -> None:
            if error is None:
                landed.append((message.partition(), message.offset()))

        producer.produce(CANARY, token, on_delivery=arrived)
        producer.flush(timeout_s)
        if not landed:
            raise NotReady("does not take a record yet")
        consumer = Consumer({**quiet, "group.id": CANARY, "enable.auto.commit": False})
        try:
            consumer.assign([TopicPartition(CANARY, *landed[0])])
            message = consumer.poll(timeout_s)
        finally:
            consumer.close()
    except (KafkaException, TimeoutError) as error:
        raise NotReady(str(error) or "does not answer yet") from error
    if message is None or message.error() or message.value() != token:
        raise NotReady("does not give back a record yet")
