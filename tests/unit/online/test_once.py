"""Which examples were learned lately: bounded, restored, and never more than the model holds."""

import pytest

from online.once import VERSIONS, Once
from schemas.outputs import ModelSnapshot


def version_of(once: Once, offset: int) -> ModelSnapshot:
    once.add(f"new at {offset}")
    snapshot = once.snapshot(offset, 0)
    assert snapshot is not None
    assert once.snapshot(offset, 0) is None
    return snapshot


def test_what_was_learned_is_known_until_its_place_is_taken() -> None:
    once = Once()
    for version in range(VERSIONS + 3):
        once.add(f"e{version}")
        once.snapshot(version + 1, 0)
    once.add("new")
    assert [f"e{version}" in once for version in (0, 2, 3, VERSIONS + 2)] == [False, False, True, True]
    assert "new" in once


def test_restored_in_any_order_it_knows_the_same_and_goes_on_in_the_oldest_place() -> None:
    once, written = Once(), dict[str, ModelSnapshot]()
    for version in range(VERSIONS + 3):
        once.add(f"e{version}")
        snapshot = version_of(once, version + 1)
        written[snapshot.name] = snapshot
    again = Once()
    for snapshot in reversed(written.values()):
        again.restore(snapshot)
    assert all((f"e{version}" in again) == (version > 2) for version in range(VERSIONS + 3))
    assert version_of(again, 1_000).name == version_of(once, 1_000).name


def test_what_was_written_for_a_version_that_was_not_is_forgotten() -> None:
    once = Once()
    once.add("kept")
    first = version_of(once, 5)
    once.add("lost")
    again = Once()
    for snapshot in (first, version_of(once, 9)):
        again.restore(snapshot)
    again.forget_after(5)
    assert ("kept" in again, "lost" in again) == (True, False)


@pytest.mark.parametrize(
    ("name", "state"), [("learned-x", {"ids": []}), ("learned-240", {"ids": []}), ("learned-1", {})]
)
def test_what_is_no_such_record_is_refused(name: str, state: dict[str, object]) -> None:
    assert Once.wrote(name)
    with pytest.raises(ValueError, match="learned examples"):
        Once().restore(ModelSnapshot(name=name, version="", offset=1, at=1, state=state, metrics={}))
