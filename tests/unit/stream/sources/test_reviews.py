"""Reviews out of CSV files, as shops have them."""

import zipfile
from pathlib import Path

import pytest

from schemas.errors import OperatorError
from stream.sources.reviews import read


def test_labels_and_ratings(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label,review\n1,很好\n0,broken\n1,很好\n,nobody knows\n1,\n", encoding="utf-8")
    assert read(tmp_path / "a.csv").rows() == [("很好", True), ("broken", False)]
    (tmp_path / "b.csv").write_text("text,rating\ngood,5\nfair,4.0\nso so,3\nbad,1\nodd,many\n", encoding="utf-8")
    assert read(tmp_path / "b.csv").rows() == [("good", True), ("fair", True), ("bad", False)]


def test_a_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "cat,label,review\nbooks,0,dull\n")
    assert read(tmp_path / "a.zip").rows() == [("dull", False)]


@pytest.mark.parametrize(
    ("content", "words"),
    [("a,b\n1,2\n", "name them review"), ("label,review\n7,x\n", "no review with a label"), ("", "no table")],
)
def test_what_is_no_table_of_reviews(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(OperatorError, match=words):
        read(tmp_path / "a.csv")
    (tmp_path / "a.zip").write_text("no archive")
    with pytest.raises(OperatorError, match="no table"):
        read(tmp_path / "a.zip")
