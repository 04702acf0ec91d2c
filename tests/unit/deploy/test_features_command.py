import json

from typer.testing import CliRunner

from deploy.cli import app
from schemas.features import FEATURES


def test_json_has_every_feature_with_all_that_is_said_of_it() -> None:
    result = CliRunner().invoke(app, ["features", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [one["name"] for one in found] == [feature.name for feature in FEATURES]
    assert set(found[0]) == {"name", "unit", "window", "meaning", "words"}
    assert all(one["unit"] and one["window"] and one["meaning"] for one in found)


def test_the_table_has_a_row_for_every_feature() -> None:
    result = CliRunner().invoke(app, ["features"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(feature.name in result.stdout for feature in FEATURES)
    assert f"{len(FEATURES)} features" in result.stdout
