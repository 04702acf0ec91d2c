import os, uuid
from collections.abc import Callable
from pathlib import Path
import pytest
from stream.kafka.admin import create_topics
from stream.settings import Settings

@pytest.fixture
def new_shop(tmp_path: Path) -> Callable[..., Settings]:
    def make(**more: object) -> Settings:
        s = Settings.model_validate({"data_dir": tmp_path, "kafka_brokers": Path("/tmp/sources-kafka/addr").read_text(), "topic_prefix": f"t{uuid.uuid4().hex[:8]}-", "collector_port": __import__("deploy.local.ports").local.ports.free_port(), **more})
        create_topics(s)
        return s
    return make

@pytest.fixture
def shop(new_shop):
    return new_shop(partitions=2)
