"""What the core says to a seeded log, broken records among it: one line for all, to compare two ways to run it."""

import json
import random
from hashlib import sha256

from deploy.bench.events import events
from schemas import compiled
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.outputs import encode
from stream.features.codec import encode_profile
from stream.features.engine import Config, Engine

EVENTS = 12_000
CUSTOMERS = 300
BROKEN = 0.3


def main() -> None:
    rng = random.Random(7)
    engine = Engine(Config())
    told = sha256()
    refused = records = 0
    for offset, event in enumerate(events(EVENTS, CUSTOMERS)):
        raw = broken(event.value, rng) if rng.random() < BROKEN else event.value
        try:
            found = engine.apply(decode(raw, "USD"), int(event.topic == "orders"), offset, event.at + 120_000)
        except Rejected as rejected:
            told.update(f"{rejected.reason} {rejected.path} {rejected}".encode())
            refused += 1
            continue
        records += len(found)
        for record in found:
            told.update(encode(record))
    profiles = dict(engine.flush())
    for customer in sorted(profiles):
        profile = profiles[customer]
        told.update(b"gone" if profile is None else encode_profile(profile, profile.armed))
    said = {"refused": refused, "records": records, "profiles": len(profiles), "told": told.hexdigest()}
    print(json.dumps(said | {"compiled": compiled.running()}))


def broken(raw: bytes, rng: random.Random) -> bytes:
    """A byte replaced, a piece cut out, or a piece said twice."""
    start = rng.randrange(len(raw))
    stop = min(len(raw), start + rng.randint(1, 12))
    piece = rng.choice([bytes([rng.randrange(32, 127)]), b"", 2 * raw[start:stop], b"-1", b"null", b"1e99"])
    return raw[:start] + piece + raw[stop:]


if __name__ == "__main__":
    main()
