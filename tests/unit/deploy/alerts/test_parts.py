"""The parts of the retention consumer that need no broker: memory, journal, choice, words."""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from deploy.alerts.journal import Journal
from deploy.alerts.seen import Seen
from deploy.alerts.show import table, words
from deploy.alerts.wanted import Wanted
from schemas import export
from schemas.errors import OperatorError
from schemas.outputs import Alert, encode

EXAMPLES = [
    msgspec.convert(record, Alert) for record in orjson.loads((export.FOLDER / "examples" / "alerts.json").read_bytes())
]


@pytest.fixture
def alert() -> Callable[[int], Alert]:
    return lambda n: msgspec.structs.replace(EXAMPLES[0], decision_id=f"{n:016x}")


@given(st.lists(st.integers(0, 12)), st.integers(1, 6))
def test_what_was_among_the_last_is_known_and_memory_is_bounded(ids: list[int], size: int) -> None:
    seen, newest = Seen(size), list[int]()
    for number in ids:
        assert seen.add(str(number)) == (number not in newest)
        newest = [*(n for n in newest if n != number), number][-size:]
        assert len(seen) == len(newest)


def test_a_journal_opened_again_knows_what_is_in_it(tmp_path: Path, alert: Callable[[int], Alert]) -> None:
    path = tmp_path / "folder" / "alerts.jsonl"
    journal = Journal(path, Seen())
    journal.write([alert(1), alert(2)])
    journal.write([])
    journal.close()
    seen = Seen()
    again = Journal(path, seen)
    assert [seen.add(alert(n).decision_id) for n in (1, 2, 3)] == [False, False, True]
    again.write([alert(3)])
    again.close()
    assert path.read_bytes() == b"".join(encode(alert(n)) + b"\n" for n in (1, 2, 3))


@pytest.mark.parametrize("cut", [1, 100, 1_000])
def test_half_a_line_is_cut_off_and_not_known(tmp_path: Path, alert: Callable[[int], Alert], cut: int) -> None:
    path = tmp_path / "alerts.jsonl"
    whole = encode(alert(1)) + b"\n"
    path.write_bytes(whole + (encode(alert(2)) + b"\n")[:-cut])
    seen = Seen()
    Journal(path, seen).close()
    assert path.read_bytes() == whole
    assert [seen.add(alert(n).decision_id) for n in (1, 2)] == [False, True]


def test_only_the_end_of_a_long_journal_is_read(
    tmp_path: Path, alert: Callable[[int], Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.alerts.journal.TAIL", 4_000)
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"".join(encode(alert(n)) + b"\n" for n in range(50)))
    seen = Seen()
    Journal(path, seen).close()
    assert 1 <= len(seen) <= 4
    assert not seen.add(alert(49).decision_id)
    assert path.read_bytes().count(b"\n") == 50


@pytest.mark.parametrize("text", ["my notes\n", "my notes", '{"a": 1}\n', "\n"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(OperatorError, match="no file of alerts"):
        Journal(path, Seen())
    assert path.read_text() == text


def test_who_wants_what() -> None:
    kinds = [alert.kind for alert in EXAMPLES]
    at = EXAMPLES[0].at
    assert [a.kind for a in EXAMPLES if Wanted()(a, at)] == kinds
    assert [a.kind for a in EXAMPLES if Wanted(kinds=frozenset({"bad_review"}))(a, at)] == ["bad_review"]
    assert not [a for a in EXAMPLES if Wanted(customers=frozenset({"somebody"}))(a, at)]
    high = Wanted(severities=frozenset({"high"}))
    assert {a.severity for a in EXAMPLES if high(a, at)} == {"high"}
    # In an hour the moment for help on the site is over.
    later = [a.kind for a in EXAMPLES if Wanted(open_only=True)(a, at + 3_600_000)]
    assert set(kinds) - set(later) == {"high_intent"}
    first_version = msgspec.structs.replace(EXAMPLES[0], expires_at=0)
    assert Wanted(open_only=True)(first_version, at)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_table_says_what_and_why_in_either_language(language: str) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(EXAMPLES, language, "alerts"))
    shown = console.export_text()
    assert all(alert.kind in shown for alert in EXAMPLES)
    assert ("因为" in shown) == (language == "zh")
    assert ("because" in shown) == (language == "en")


def test_what_has_no_chinese_is_said_in_english() -> None:
    first = msgspec.structs.replace(EXAMPLES[0], text_zh="", reasons=[])
    assert words(first, "zh").startswith(first.text)
