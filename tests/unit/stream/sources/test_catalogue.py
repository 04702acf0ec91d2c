from pathlib import Path

import pytest

from schemas.errors import OperatorError
from stream.sources.catalogue import open_source


def test_logs_of_the_same_name_have_positions_of_their_own(tmp_path: Path) -> None:
    names = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        log = tmp_path / folder / "log.jsonl"
        log.write_text("{}\n")
        source = open_source(str(log))
        assert source.count() == len(list(source.events())) == 1
        names.add(source.name)
    assert len(names) == 2


@pytest.mark.parametrize(
    ("what", "path", "message"),
    [
        ("taobao", None, "name the file"),
        ("taobao", Path("nowhere.csv"), "no file"),
        ("nowhere.jsonl", None, "no file"),
        ("events.xml", None, "no source"),
    ],
)
def test_what_cannot_be_opened_says_what_to_do(what: str, path: Path | None, message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        open_source(what, path)
