"""Settings of alerts: read as JSON, handed on to child processes, and refused with what to write."""

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from stream.settings import EXAMPLE, Settings, refusal


def test_the_example_is_one_and_a_child_process_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTFALL_ALERT_MARKS", EXAMPLE)
    settings = Settings()
    assert settings.alert_marks["churn_risk"]["cooldown_days"] == 21
    handed_on = settings.environment()["FOOTFALL_ALERT_MARKS"]
    monkeypatch.setenv("FOOTFALL_ALERT_MARKS", handed_on)
    assert Settings().alert_marks == settings.alert_marks


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("ALERT_MARKS", "{churn", "write JSON, for example FOOTFALL_ALERT_MARKS="),
        ("ALERT_MARKS", '{"churn": {"high": 1}}', "FOOTFALL_ALERT_MARKS: no alerts of kind churn; there are"),
        ("ALERT_MARKS", '{"churn_risk": 1}', "FOOTFALL_ALERT_MARKS churn_risk: Input should be a valid dictionary"),
        ("CHURN_DAYS", "0", "FOOTFALL_CHURN_DAYS: Input should be greater than or equal to 1"),
    ],
)
def test_a_broken_setting_ends_a_command_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, told: str
) -> None:
    monkeypatch.setenv(f"FOOTFALL_{name}", given)
    result = CliRunner().invoke(app, ["alerts", "--effect"], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert told in result.output
    assert result.output.count("\n") == 1
    assert "Traceback" not in result.output


def test_another_error_is_none_of_the_settings() -> None:
    assert refusal(ValueError("something else")) is None
