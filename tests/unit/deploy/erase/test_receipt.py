"""The receipt: whose it is can be checked and not read, and its days are those of the broker's settings."""

from pathlib import Path

import polars as pl
import pytest

from deploy.erase import local, receipt
from deploy.erase.receipt import Receipt
from deploy.erase.scan import Holding, Kept, Span
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.outputs import Moment, Snapshot, encode
from schemas.topics import DAY_MS, EXAMPLES, ORDERS

FOREVER = 2**62


def made(customer: str = "ann") -> Receipt:
    return Receipt(
        request="r",
        command="erase",
        customer=receipt.hashed(customer),
        asked="",
        finished="",
        waiting_for="",
        places=[],
        folders=[],
        notes=[],
    )


def test_a_receipt_is_known_by_its_customer_alone(tmp_path: Path) -> None:
    path = receipt.write(tmp_path / "receipts", made())
    assert "ann" not in path.read_text()
    assert receipt.read(path, "ann") == receipt.read(path, "ann")
    with pytest.raises(OperatorError, match="another customer"):
        receipt.read(path, "bob")
    assert receipt.hashed("ann") != receipt.hashed("ann")
    path.write_text("{}")
    with pytest.raises(OperatorError, match="no receipt"):
        receipt.read(path, "ann")


def test_days_follow_from_the_brokers_settings() -> None:
    log = Kept(False, 7 * DAY_MS, DAY_MS, FOREVER, DAY_MS)
    spans = {1: Span(2, 5, 9)}
    assert Holding(ORDERS, log).until() is None
    assert Holding(ORDERS, log, {}, spans, newest=DAY_MS).until() == 9 * DAY_MS
    both = Kept(True, 730 * DAY_MS, DAY_MS, DAY_MS, DAY_MS)
    assert Holding(EXAMPLES, both, {}, spans, newest=DAY_MS).until() == 3 * DAY_MS
    # What is in use is not compacted away.
    live = {(1, b"id"): b"{}"}
    assert Holding(EXAMPLES, both, live, spans, newest=0).until() == 731 * DAY_MS
    never = Kept(True, FOREVER, DAY_MS, FOREVER, DAY_MS)
    place = receipt.place_of(Holding(EXAMPLES, never, {}, spans, newest=0), 3)
    assert (place.removed, place.remaining, place.live, place.until) == (3, 2, 0, None)
    assert [(one.partition, one.records, one.first, one.last) for one in place.where] == [(1, 2, 5, 9)]


def training_set(data_dir: Path) -> Path:
    path = data_dir / "train" / "deep" / "log.parquet"
    path.parent.mkdir(parents=True)
    rows = []
    for number, customer in enumerate(["ann", "bob", "ann"]):
        story = [Moment(1, Behaviour.SEARCH, words=f"secret of {customer}"), Moment(2, Behaviour.VIEW, words="shoe")]
        snapshot = Snapshot(
            id=str(number), customer=customer, at=1, trigger="cutoff", arrived=1, features={"a": 1.5}, story=story
        )
        rows.append((str(number), customer, 1, encode(snapshot).decode(), True, False))
    pl.DataFrame(rows, schema=["id", "customer", "at", "snapshot", "churn", "intent"], orient="row").write_parquet(path)
    (data_dir / "kafka").mkdir()
    pl.DataFrame({"other": [1]}).write_parquet(path.with_name("other.parquet"))
    return path


def test_training_sets_lose_her_rows_and_no_others(tmp_path: Path) -> None:
    path = training_set(tmp_path)
    looked = local.look(tmp_path, "ann")
    assert (looked.folders, looked.rows) == (["train"], {"train/deep/log.parquet": 2})
    before = pl.read_parquet(path)
    local.clear(tmp_path, "nobody", None)
    assert pl.read_parquet(path).equals(before)
    local.clear(tmp_path, "ann", None)
    assert pl.read_parquet(path).equals(before.filter(pl.col("customer") == "bob"))
    assert receipt.place_of_files(looked, local.look(tmp_path, "ann"))[0].removed == 2
    assert local.look(tmp_path / "nowhere", "ann") == ([], {})


def test_anonymised_rows_stay_without_name_and_words(tmp_path: Path) -> None:
    path = training_set(tmp_path)
    before = pl.read_parquet(path)
    local.clear(tmp_path, "ann", "alias")
    after = pl.read_parquet(path)
    assert after.schema == before.schema
    assert after["customer"].to_list() == ["alias", "bob", "alias"]
    assert after["snapshot"][1] == before["snapshot"][1]
    assert "secret" not in after["snapshot"][0]
    assert "shoe" in after["snapshot"][0]
    assert "ann" not in after["snapshot"][0]
    assert local.example(b'{"customer":"ann","id":"e","story":"[a] now searched her, 1h viewed x"}', "alias") == (
        b'{"customer":"alias","id":"e","story":"[a] now searched, 1h viewed x"}'
    )
