"""The other parts: topics, workers, the collector, Prometheus, and those that the operator runs elsewhere."""

import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from string import Template

from deploy.local.part import NotReady, Say
from deploy.local.ports import LOOPBACK, Port, accepts
from deploy.local.process import Command
from schemas.errors import OperatorError
from stream.kafka.admin import create_topics
from stream.settings import Settings

WORKERS = ("profile", "score", "label", "learn")
PROMETHEUS_TEMPLATE = Path(__file__).parents[1] / "prometheus" / "prometheus.yml"
LONGEST_PAGE = 1 << 22


def page(url: str, timeout_s: float = 3.0) -> str:
    """The body of a page that answers 200; NotReady otherwise."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            body: bytes = answer.read(LONGEST_PAGE)
    except (urllib.error.URLError, OSError) as error:
        raise NotReady(f"{url} does not answer ({error})") from error
    return body.decode(errors="replace")


class Done:
    """A part that is nothing but its preparation: no process, and nothing to wait for."""

    ports: tuple[Port, ...] = ()
    ready_s = 30.0
    watched = False

    def __init__(self, name: str, address: str, act: Callable[[], str]) -> None:
        self.name = name
        self.address = address
        self._act = act

    def prepare(self, _say: Say) -> None:
        """Act; what it returns is shown beside the address."""
        self.address = " ".join(filter(None, (self.address, self._act())))

    def command(self) -> None:
        """Nothing runs."""

    def probe(self) -> None:
        """Done means ready."""

    def clean(self) -> None:
        """Nothing is left behind."""


class Service:
    """A program of this project or of others, ready when a page of its own says so."""

    watched = False

    def __init__(
        self, name: str, argv: tuple[str, ...], url: str, port: Port, settings: Settings, *, says: str = ""
    ) -> None:
        self.name = name
        self.address = url
        self.ports = (port,)
        self.ready_s = 120.0
        self._argv = argv
        self._env = settings.environment()
        self._says = says

    def prepare(self, _say: Say) -> None:
        """Nothing to lay out."""

    def command(self) -> Command:
        """The program, with the stack's settings in its environment."""
        return Command(self._argv, self._env)

    def probe(self) -> None:
        """Its page answers, and says what it has to."""
        if self._says and not any(line.startswith(self._says) for line in page(self.address).splitlines()):
            raise NotReady("runs, and is not ready")
        if not self._says:
            page(self.address)

    def clean(self) -> None:
        """Nothing is left behind."""


def footfall(*arguments: str) -> tuple[str, ...]:
    """This project's own command line, in this very Python."""
    return (sys.executable, "-m", "deploy.cli", *arguments)


def metrics_port(settings: Settings, stage: str) -> int:
    """The port on which a stage's worker shows its metrics."""
    return settings.metrics_base_port + WORKERS.index(stage)


def worker(settings: Settings, stage: str) -> Service:
    """One stage's Faust worker; it says `footfall_ready 1` once it owns its partitions and has restored them."""
    port = metrics_port(settings, stage)
    return Service(
        stage,
        footfall("worker", stage),
        f"http://{LOOPBACK}:{port}/metrics",
        Port(port, "metrics_base_port"),
        settings,
        says="footfall_ready 1",
    )


def collector(settings: Settings) -> Service:
    """The HTTP collector."""
    return _served("collector", settings.collector_host, settings.collector_port, settings)


def recommender(settings: Settings) -> Service:
    """Recommendations over HTTP; ready once it has read all interactions."""
    return _served("recommender", settings.recommender_host, settings.recommender_port, settings)


def _served(name: str, host: str, port: int, settings: Settings) -> Service:
    near = LOOPBACK if host in ("0.0.0.0", "::", "") else host
    return Service(name, footfall(name), f"http://{near}:{port}/readyz", Port(port, f"{name}_port", host), settings)


def topics(settings: Settings) -> Done:
    """The topics of the contract."""

    def act() -> str:
        created = create_topics(settings)
        return f"{len(created)} topics created" if created else "all topics exist"

    return Done("topics", f"{settings.topic_prefix}*" if settings.topic_prefix else "", act)


def given_triton(settings: Settings) -> Done:
    """A Triton that the operator runs: looked at, never started."""

    def act() -> str:
        from tritonclient import grpc
        from tritonclient.utils import InferenceServerException

        try:
            with grpc.InferenceServerClient(settings.triton_url) as client:
                live = bool(client.is_server_live(client_timeout=5.0))
        except InferenceServerException:
            live = False
        if not live:
            raise OperatorError(
                f"no Triton answers at {settings.triton_url}: start it, "
                "or unset FOOTFALL_TRITON_URL to have one started"
            )
        return "(given)"

    return Done("triton", settings.triton_url, act)


def given_kafka(settings: Settings) -> Done:
    """Brokers that the operator runs: looked at, never started."""

    def act() -> str:
        from stream.kafka.admin import existing_topics

        if not any(accepts(broker.strip(), 3.0) for broker in settings.kafka_brokers.split(",")):
            raise OperatorError(
                f"no Kafka broker answers at {settings.kafka_brokers}: start it, "
                "or unset FOOTFALL_KAFKA_BROKERS to have one started"
            )
        existing_topics(settings)
        return "(given)"

    return Done("kafka", settings.kafka_brokers, act)


class Prometheus(Service):
    """Prometheus over the workers, the collector, the recommender and Triton."""

    def __init__(self, settings: Settings, program: str) -> None:
        port = settings.prometheus_port
        self._folder = settings.data_dir.resolve() / "prometheus"
        self._settings = settings
        argv = (
            program,
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
        )
        super().__init__(
            "prometheus", argv, f"http://{LOOPBACK}:{port}/-/ready", Port(port, "prometheus_port"), settings
        )

    def prepare(self, _say: Say) -> None:
        """Write its configuration with this installation's ports."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "prometheus.yml").write_text(prometheus_config(self._settings))


def prometheus_config(settings: Settings) -> str:
    """The shipped configuration with this installation's ports in it."""
    values = {stage: f"{LOOPBACK}:{metrics_port(settings, stage)}" for stage in WORKERS}
    values["collector"] = f"{LOOPBACK}:{settings.collector_port}"
    values["recommender"] = f"{LOOPBACK}:{settings.recommender_port}"
    values["triton"] = f"{LOOPBACK}:{settings.triton_metrics_port}"
    return Template(PROMETHEUS_TEMPLATE.read_text()).substitute(values)


def prometheus(settings: Settings) -> Prometheus | None:
    """Prometheus where it is installed; None elsewhere."""
    program = shutil.which("prometheus")
    return Prometheus(settings, program) if program else None
