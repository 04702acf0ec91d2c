"""The real broker and the real Triton, started once for all integration tests, on free ports, in their own folders."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import catalogue
from deploy.local.part import Part
from deploy.local.repository import assemble
from deploy.local.supervisor import Stack
from deploy.local.triton import Triton
from stream.kafka.admin import create_topics
from stream.settings import Settings
from tests.integration.stacks import local_settings, running

HERE = Path(__file__).parent


def echo_models(folder: Path) -> Path:
    """A model repository that holds nothing but the echo."""
    empty = folder / "none"
    empty.mkdir(parents=True, exist_ok=True)
    return assemble(HERE / "echo", empty, folder / "models", "echo").parent


def build_echo(name: str, settings: Settings, stack_id: str) -> Part | None:
    """The catalogue's parts, with Triton serving the echo."""
    if name == "triton":
        return Triton(settings, stack_id, lambda: echo_models(settings.data_dir))
    return catalogue.build(name, settings, stack_id)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose `kafka_brokers` is a real broker that runs for the whole session."""
    settings = local_settings(tmp_path_factory.mktemp("broker"))
    with running(Stack(settings, ["kafka"])):
        yield settings


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose `triton_url` is a real Triton that serves the shipped BERT for the whole session."""
    settings = local_settings(tmp_path_factory.mktemp("triton"))
    with running(Stack(settings, ["triton"])):
        yield settings


@pytest.fixture
def new_shop(broker: Settings, tmp_path: Path) -> Callable[..., Settings]:
    """A function that makes a shop of its own on the session's broker: `new_shop(partitions=2, …)`, topics created."""

    def make(**more: object) -> Settings:
        prefix = f"t{uuid.uuid4().hex[:8]}-"
        settings = local_settings(tmp_path, kafka_brokers=broker.kafka_brokers, topic_prefix=prefix, **more)
        create_topics(settings)
        return settings

    return make


@pytest.fixture
def shop(new_shop: Callable[..., Settings]) -> Settings:
    """A shop of its own on the session's broker: a unique topic prefix, two partitions, topics created."""
    return new_shop(partitions=2)
