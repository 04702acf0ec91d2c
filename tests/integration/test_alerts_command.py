"""`footfall alerts` on the real broker: repeats dropped, killed and started again, nothing lost and nothing twice."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import orjson
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from schemas import export
from schemas.outputs import Alert, encode
from schemas.topics import ALERTS, OUTCOMES
from stream.settings import Settings
from tests.integration.kafka_tools import records, send, until

pytestmark = pytest.mark.integration

EXAMPLE = msgspec.convert(orjson.loads((export.FOLDER / "examples" / "alerts.json").read_bytes())[0], Alert)


def alerts(first: int, end: int) -> list[tuple[bytes | None, bytes]]:
    """Alerts of ten customers; every third is said again soon after, as by a stage that starts again."""
    said: list[tuple[bytes | None, bytes]] = []
    for n in range(first, end):
        customer = f"c{n % 10}"
        value = encode(msgspec.structs.replace(EXAMPLE, decision_id=f"d{n}", customer=customer))
        said.append((customer.encode(), value))
        if n % 3 == 2:
            said += said[-3:]
    return said


@contextmanager
def following(shop: Settings, out: Path, printed: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "deploy.cli", "alerts", "--follow", "--format", "json", "--out", str(out)]
    with printed.open("ab") as stdout:
        process = subprocess.Popen(command, env=shop.environment() | {"PATH": ""}, stdout=stdout)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def ids(path: Path) -> list[str]:
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [json.loads(line)["decision_id"] for line in lines if line.endswith(b"}")]


def written(path: Path, number: int) -> bool:
    return len(set(ids(path))) >= number


def test_killed_at_any_moment_each_alert_is_in_the_file_once(shop: Settings, tmp_path: Path) -> None:
    out, printed = tmp_path / "alerts.jsonl", tmp_path / "printed.jsonl"
    for sent in (300, 600, 900):
        send(shop, ALERTS, alerts(sent - 300, sent))
        with following(shop, out, printed):
            until(partial(written, out, sent - 200), bool, "alerts in the file")
            # Killed here, in the middle of the rest, or before the last were committed.
    # What was said last is said again: only what is read back of the topic, or of the file, can know it.
    send(shop, ALERTS, alerts(sent - 9, sent))
    with following(shop, out, printed) as process:
        until(partial(written, out, sent), bool, "all alerts in the file")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    want = Counter(f"d{n}" for n in range(sent))
    assert Counter(ids(out)) == want
    assert set(ids(printed)) == set(want)


def run(shop: Settings, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["alerts", *arguments], env=shop.environment() | {"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.stdout


def test_a_group_goes_on_and_outcomes_are_told(shop: Settings) -> None:
    send(shop, ALERTS, [*alerts(0, 5), (b"c0", b"{"), (b"c1", b"null")])
    assert len(run(shop, "--format", "json").splitlines()) == 5
    # The same again, and one that is new: the first run's are known though nothing was kept but the group's position.
    send(shop, ALERTS, alerts(0, 6))
    (line,) = run(shop, "--format", "json", "--ack").splitlines()
    assert json.loads(line)["decision_id"] == "d5"
    assert run(shop, "--format", "json") == ""
    assert "because" in run(shop, "--group", "another", "--customer", "c1")
    assert run(shop, "--kind", "bad_review", "--group", "third", "--format", "json") == ""
    run(shop, "--kind", "churn", code=1)
    run(shop, "--outcome", "converted", "d4")
    run(shop, "--outcome", "converted", "d99", code=1)
    run(shop, "--outcome", "unsubscribed", "--customer", "c7", "--channel", "email")
    told = [json.loads(value or b"") for _, value in records(shop, OUTCOMES)]
    found = {(one["what"], one["customer"], one["decision_id"], one["channel"]) for one in told}
    assert found == {
        ("delivered", "c5", "d5", "email"), ("converted", "c4", "d4", "email"), ("unsubscribed", "c7", "", "email")
    }  # fmt: skip
