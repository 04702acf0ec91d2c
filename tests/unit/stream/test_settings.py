"""Settings of alerts: read as JSON, handed on to child processes, and refused with what to write."""

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from stream.settings import EXAMPLES, Settings, refusal


def test_the_example_is_one_and_a_child_process_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, example in EXAMPLES.items():
        monkeypatch.setenv(f"FOOTFALL_{name.upper()}", example)
    settings = Settings()
    assert settings.alert_marks["churn_risk"]["cooldown_days"] == 21
    assert settings.alert_budget["churn_risk"] == 200
    for name in EXAMPLES:
        handed_on = settings.environment()[f"FOOTFALL_{name.upper()}"]
        monkeypatch.setenv(f"FOOTFALL_{name.upper()}", handed_on)
        assert getattr(Settings(), name) == getattr(settings, name)


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("ALERT_MARKS", "{churn", "write JSON, for example FOOTFALL_ALERT_MARKS="),
        ("ALERT_MARKS", '{"churn": {"high": 1}}', "FOOTFALL_ALERT_MARKS: no alerts of kind churn; there are"),
        ("ALERT_MARKS", '{"churn_risk": 1}', "FOOTFALL_ALERT_MARKS churn_risk: Input should be a valid dictionary"),
        ("ALERT_BUDGET", "[", "write JSON, for example FOOTFALL_ALERT_BUDGET="),
        ("ALERT_BUDGET", '{"churn": 5}', "FOOTFALL_ALERT_BUDGET: no alerts of kind churn; there are"),
        ("ALERT_BUDGET", '{"churn_risk": -1}', "FOOTFALL_ALERT_BUDGET: churn_risk: -1 alerts a day are less than none"),
        ("ALERT_BUDGET", '{"churn_risk": 1.5}', "FOOTFALL_ALERT_BUDGET churn_risk: Input should be a valid integer"),
        ("TIMEZONE", "Mars/Olympus", "FOOTFALL_TIMEZONE: no time zone 'Mars/Olympus'; write a name such as"),
        ("TIMEZONE", "../passwd", "FOOTFALL_TIMEZONE: no time zone '../passwd'; write a name such as"),
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
