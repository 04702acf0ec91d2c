"""Who serves, who is tried, who served before; and a file that is the old one or the new one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import registry
from inference.registry import BASE, Entry, Registry, chosen
from schemas.errors import OperatorError


def entry(number: int) -> Entry:
    return Entry(name=f"bert-{number}", version=f"v{number}", source="runs/v", at="2026-01-01T00:00:00+00:00")


def test_from_shadow_to_canary_to_serving_and_back() -> None:
    known = Registry().published(entry(2), 0.5)
    assert (known.serving, known.shadow, known.shadow_share) == (BASE, "bert-2", 0.5)
    known = known.tried("bert-2", 0.1, "t", {"churn": 1}, forced=False)
    assert (known.serving, known.canary, known.canary_share) == (BASE, "bert-2", 0.1)
    assert (known.rolled_back("t").canary, known.rolled_back("t").serving) == ("", BASE)
    known = known.promoted("bert-2", "t", {}, forced=True)
    assert (known.serving, known.previous, known.shadow, known.canary) == ("bert-2", BASE, "", "")
    assert known.in_use == ("bert-2", BASE)
    assert known.rolled_back("t").serving == BASE
    assert [(change.what, change.forced) for change in known.history] == [
        ("published", False),
        ("canary", False),
        ("promoted", True),
    ]


def test_with_nothing_before_there_is_no_way_back() -> None:
    with pytest.raises(OperatorError, match="nothing to roll back"):
        Registry().rolled_back("t")


def test_no_name_is_given_twice() -> None:
    known = Registry().published(entry(2), 1.0).published(entry(3), 1.0).without("bert-3")
    assert known.next_name == "bert-4"


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_growing_share_keeps_its_customers(customer: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert not chosen("bert-2", customer, less) or chosen("bert-2", customer, more)
    assert chosen("bert-2", customer, 1.0)
    assert not chosen("bert-2", customer, 0.0)


def test_a_share_is_a_share() -> None:
    found = sum(chosen("bert-2", f"c{number}", 0.2) for number in range(5_000))
    assert 900 < found < 1_100


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert registry.read(tmp_path / "none") == Registry()
    known = Registry().published(entry(2), 1.0)
    registry.write(tmp_path / "new", known)
    assert registry.read(tmp_path / "new") == known


@pytest.mark.parametrize("text", ["{", '{"serving": "bert-9"}', '{"serving": 4}'])
def test_a_broken_registry_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / registry.FILE).write_text(text)
    with pytest.raises(OperatorError, match=registry.FILE):
        registry.read(tmp_path)
