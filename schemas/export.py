"""The contract as files: a JSON Schema (2020-12) for every record, and an AsyncAPI 3.0 document over all topics.

Both are made from the types that decode and encode, so they cannot say anything else; `footfall schemas` writes them
and a test fails where they have drifted. What a schema cannot say (money is not negative, times lie between 2000 and
an hour from now) is `schemas.decode`'s to refuse.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from schemas import outputs
from schemas.catalogue import CatalogueItem
from schemas.events import EVENTS, Envelope, OrderCompleted
from schemas.merges import Merge
from schemas.topics import DEAD_LETTERS, MERGES, TOPICS, Topic

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
INPUTS: Final = ("clickstream", "orders", "catalogue", "outcomes")
FOLDER: Final = Path(__file__).parent

RECORDS: Final[dict[str, Any]] = {
    "catalogue": CatalogueItem,
    "outcomes": outputs.Outcome,
    "merges": Merge,
    "features": outputs.Snapshot,
    "interactions": outputs.Interaction,
    "scores": outputs.Score,
    "alerts": outputs.Alert,
    "recommendations": outputs.Recommendation,
    "examples": outputs.Example,
    "models": outputs.ModelSnapshot,
}
# Topics that only Footfall reads, in a form of its own, and the one that carries whatever could not be read.
OPAQUE: Final = {
    "profiles": "application/msgpack",
    "decisions": "application/octet-stream",
    "pending": "application/octet-stream",
    "items": "application/octet-stream",
    "dead-letters": "application/octet-stream",
}

Json = dict[str, Any]


def files() -> dict[str, bytes]:
    """Every exported file: path below `schemas/`, and content."""
    documents = {f"json/{slug(name)}.schema.json": event_schema(name) for name in event_names()}
    documents |= {f"json/{topic}.schema.json": record_schema(topic) for topic in RECORDS}
    documents["asyncapi.json"] = asyncapi()
    return {path: orjson.dumps(text, option=orjson.OPT_INDENT_2) + b"\n" for path, text in documents.items()}


def write(folder: Path = FOLDER) -> list[str]:
    """Write what differs, remove what is no longer exported, and say which files these were."""
    wanted = files()
    changed = drift(folder)
    for path in changed:
        target = folder / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wanted[path])
        else:
            target.unlink()
    return changed


def drift(folder: Path = FOLDER) -> list[str]:
    """Files that are missing, different or left over."""
    wanted = files()
    there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("json/*.schema.json")}
    document = folder / "asyncapi.json"
    if document.exists():
        there["asyncapi.json"] = document.read_bytes()
    return sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))


def event_names() -> tuple[str, ...]:
    """The events of Segment's spec that Footfall knows, and the two calls that are no track."""
    return (*EVENTS, "identify", "page")


def topic_of(name: str) -> str:
    """The topic of an event name or call."""
    spec = EVENTS.get(name)
    return "clickstream" if spec is None else spec.topic


def slug(name: str) -> str:
    """A file's name for an event.

    >>> slug("Order Completed")
    'order-completed'
    """
    return name.lower().replace(" ", "-")


def event_schema(name: str) -> Json:
    """The schema of one input event: the envelope with its properties."""
    spec = EVENTS.get(name)
    kinds: list[type] = [Envelope] if spec is None else [Envelope, spec.properties]
    _, defs = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    envelope = defs.pop("Envelope")
    fields = envelope["properties"]
    required = ["type", "timestamp"]
    if spec is None:
        fields["type"] = {"const": name}
        fields["properties"] = {"type": "object"}
        del fields["event"]
    else:
        fields["type"] = {"const": "track"}
        fields["event"] = {"const": name}
        fields["properties"] = {"$ref": f"#/$defs/{spec.properties.__name__}"}
        required += ["event", "properties"]
        if spec.properties is OrderCompleted:
            defs["OrderCompleted"]["anyOf"] = _one_of_these("total", "revenue")
    return {
        "$schema": DIALECT,
        "$id": f"urn:footfall:{slug(name)}",
        "title": name,
        "description": f"{name} on the topic {topic_of(name)}. {Envelope.__doc__}",
        "type": "object",
        "properties": fields,
        "required": required,
        "anyOf": _one_of_these("userId", "anonymousId"),
        "$defs": _plain(defs),
    }


def record_schema(topic: str) -> Json:
    """The schema of the records that Footfall writes to (or, `catalogue` and `outcomes`, defines for) a topic."""
    kind = RECORDS[topic]
    schema = msgspec.json.schema(kind)
    title = kind.__name__ if isinstance(kind, type) else topic.capitalize()
    return {"$schema": DIALECT, "$id": f"urn:footfall:{topic}", "title": title, **_plain(schema)}


def asyncapi() -> Json:
    """The AsyncAPI document. Whoever sends to Footfall or reads its answers needs the topics with an operation."""
    messages: Json = {}
    channels: Json = {}
    for topic in TOPICS:
        names = [name for name in event_names() if topic_of(name) == topic.name]
        for name in names:
            messages[slug(name)] = _message(name, topic, f"./json/{slug(name)}.schema.json")
        if topic.name in RECORDS:
            messages[topic.name] = _message(topic.name, topic, f"./json/{topic.name}.schema.json")
        elif topic.name in OPAQUE:
            messages[topic.name] = _opaque(topic)
        keys = [slug(name) for name in names] or [topic.name]
        channels[topic.name] = {
            "address": topic.name,
            "description": topic.carries,
            "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in keys},
            "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": _retention(topic)}},
        }
    told = {*INPUTS, *RECORDS, DEAD_LETTERS.name} - {MERGES.name}
    public = [topic.name for topic in TOPICS if topic.name in told]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Footfall",
            "version": "1.0.0",
            "description": "Shop events in; scores, alerts and recommendations out. Addresses stand without the "
            "installation's topic prefix. A record's partition is murmur2 of its key, Java's default.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:9092", "protocol": "kafka"}},
        "channels": channels,
        "operations": {
            f"{'receive' if name in INPUTS else 'send'}-{name}": {
                "action": "receive" if name in INPUTS else "send",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in public
        },
        "components": {"messages": messages},
    }


def _message(name: str, topic: Topic, schema: str) -> Json:
    return {
        "name": name,
        "contentType": "application/json",
        "payload": {"schemaFormat": "application/schema+json;version=2020-12", "schema": {"$ref": schema}},
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
    }


def _opaque(topic: Topic) -> Json:
    return {
        "name": topic.name,
        "contentType": OPAQUE[topic.name],
        "description": topic.carries,
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
    }


def _retention(topic: Topic) -> Json:
    if topic.compact and topic.expires:
        return {"cleanup.policy": ["compact", "delete"], "retention.ms": topic.retention_ms}
    if topic.compact:
        return {"cleanup.policy": ["compact"]}
    return {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms}


def _one_of_these(*names: str) -> list[Json]:
    return [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]


def _plain(value: Any) -> Any:
    """Docstrings as one line of text each."""
    if isinstance(value, dict):
        return {
            k: " ".join(v.split()) if k == "description" and isinstance(v, str) else _plain(v) for k, v in value.items()
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value
