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
        ("taobao", None, "name it, or set FOOTFALL_SOURCE_DIRS"),
        ("taobao", Path("nowhere.csv"), "no file"),
        ("nowhere.jsonl", None, "no file"),
        ("events.xml", None, "no source"),
    ],
)
def test_what_cannot_be_opened_says_what_to_do(
    what: str, path: Path | None, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOOTFALL_SOURCE_DIRS", str(tmp_path))
    with pytest.raises(OperatorError, match=message):
        open_source(what, path)


def test_a_known_data_set_is_found_in_the_folders_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "UserBehavior.csv").write_text("user_id,item_id,category_id,behavior,ts\n1,2,3,pv,1511600000\n")
    monkeypatch.setenv("FOOTFALL_SOURCE_DIRS", f"nowhere:{tmp_path}")
    assert open_source("taobao").count() == 1
