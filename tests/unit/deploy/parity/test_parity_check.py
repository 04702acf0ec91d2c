"""Engine and oracle at the same cut-offs: on real baskets, on a disturbed simulated shop, and when the engine errs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.parity import engine
from deploy.parity.check import check
from deploy.parity.sources import open_log
from schemas.errors import OperatorError
from schemas.features import NAMES
from schemas.outputs import Features
from stream.features.engine import Config, Engine
from stream.features.profile import Profile
from stream.features.vector import features_at
from stream.sources import completejourney

ARGUMENTS = ["check", "parity", "--source", "simulated", "--limit", "1200", "--cutoffs", "3", "--json"]


def compared(source: str, cutoffs: int, limit: int | None, path: Path | None = None) -> dict[str, object]:
    log = open_log(source, path, limit, "USD")
    return check(log, cutoffs, Config(), lambda _seen, _total: None).as_dict()


def test_complete_journey_agrees() -> None:
    households = len({event.key for event in completejourney.events(3_000)})
    found = compared("completejourney", 4, 3_000)
    assert found == {"customers": households, "features": len(NAMES), "compared": found["compared"], "mismatches": 0}
    assert found["compared"] == pytest.approx(households * 3 * len(NAMES), rel=0.2)


def test_a_disturbed_shop_agrees() -> None:
    found = compared("simulated", 8, None)
    assert (found["mismatches"], found.get("by_feature")) == (0, None)


def test_a_file_of_behaviours_with_prices_agrees(tmp_path: Path) -> None:
    behaviours = ("pv", "pv", "cart", "fav", "pv", "cart", "buy")
    rows = [
        f"{n % 5},{n % 11},{n % 3},{behaviours[n % 7]},{1_511_539_200 + n * 977},{'' if n % 4 == 0 else n % 50 + 0.29}"
        for n in range(600)
    ]
    path = tmp_path / "behaviour.csv"
    path.write_text("\n".join(["user_id,item_id,category_id,behavior,ts,price", *rows]))
    assert compared("taobao", 5, None, path) == {
        "customers": 5,
        "features": len(NAMES),
        "compared": 5 * 5 * len(NAMES),
        "mismatches": 0,
    }


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("views_30d", 1.0), ("spend_total", 0.01), ("days_since_event", 1e-6), ("overdue", None), ("session_depth", -1)],
)
def test_an_engine_that_errs_is_reported(name: str, wrong: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    erring = "c-b-0001"

    def perturbed(profile: Profile, now: int, currency: str, gap: int) -> Features:
        found = features_at(profile, now, currency, gap)
        if profile.customer == erring:
            found[name] = 0.5 if wrong is None else (found[name] or 0) + wrong
        return found

    monkeypatch.setattr(engine, "features_at", perturbed)
    result = CliRunner().invoke(app, ARGUMENTS)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert list(report["by_feature"]) == [name]
    found = report["by_feature"][name]
    assert report["mismatches"] == found["mismatches"] >= 1
    example = found["example"]
    assert example["customer"] == erring
    assert example["engine"] != example["oracle"]
    assert example["cutoff"] > 1_700_000_000_000


def test_a_customer_that_the_engine_lost_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = Engine.apply

    def forgetful(self: Engine, *arguments: object) -> object:
        records = apply(self, *arguments)  # type: ignore[arg-type]
        self.profiles.pop("c-b-0001", None)
        return records

    monkeypatch.setattr(Engine, "apply", forgetful)
    result = CliRunner().invoke(app, ARGUMENTS)
    assert result.exit_code == 1
    assert list(json.loads(result.stdout)["by_feature"]) == ["missing in engine"]


def test_agreement_ends_with_0_and_the_figures() -> None:
    result = CliRunner().invoke(app, ARGUMENTS)
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["mismatches"] == 0
    assert report["compared"] > 2 * report["customers"] * report["features"] > 0


def test_what_is_no_source_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOOTFALL_SOURCE_DIRS", str(tmp_path))
    with pytest.raises(OperatorError, match="completejourney, taobao, simulated"):
        open_log("amazon", None, None, "USD")
    with pytest.raises(OperatorError, match="set FOOTFALL_SOURCE_DIRS"):
        open_log("taobao", None, None, "USD")
