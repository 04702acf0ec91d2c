"""Every setting with its default: variables `FOOTFALL_…`, or a `.env` file. Only this module reads them."""

import json
from functools import cached_property
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

EXAMPLES: Final = {
    "alert_marks": '{"churn_risk": {"high": 0.5, "low": 0.3, "late": 0.7, "cooldown_days": 21, "daily": 1}}',
    "alert_budget": '{"churn_risk": 200, "high_intent": 1000}',
}


class Settings(BaseSettings):
    """What an installation can choose. A given address is used as it is; one that is not is started locally."""

    model_config = SettingsConfigDict(env_prefix="FOOTFALL_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(Path(".footfall"), description="where the local stack keeps its data and logs")
    cache_dir: Path = Field(Path(".footfall"), description="where the local stack keeps Kafka's jars and Triton")

    source_dirs: str = Field("data:../shared/data", description="where files of known data sets are looked for")

    kafka_port: int = Field(9092, ge=1, le=65535, description="where the local broker listens")
    kafka_brokers: str = Field(
        default_factory=lambda known: f"127.0.0.1:{known['kafka_port']}",
        description="bootstrap servers, host:port separated by commas",
    )
    topic_prefix: str = Field("", description="put before every topic and group, so that installations share a cluster")
    partitions: int = Field(4, ge=1, le=1024)
    replication: int = Field(1, ge=1)
    session_timeout_s: float = Field(10.0, gt=0, description="a worker silent this long loses its partitions")

    triton_port: int = Field(8001, ge=1, le=65535, description="where the local Triton listens (gRPC)")
    triton_url: str = Field(
        default_factory=lambda known: f"127.0.0.1:{known['triton_port']}", description="Triton's gRPC address"
    )
    triton_metrics_port: int = 8002
    model_dir: Path | None = Field(None, description="the BERT model to serve; default: the one shipped")
    triton_device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where the local Triton runs BERT; auto: on a GPU where there is one"
    )
    model_repository: Path | None = Field(
        None, description="Triton's model repository as workers see it, with the registry of versions in it"
    )
    triton_deadline_s: float = Field(
        5.0, gt=0, description="a batch not answered by then falls back to the online model"
    )
    score_behind_s: float = Field(
        0.3, gt=0, description="live snapshots that waited longer are scored by the online model alone"
    )
    score_explain_s: float = Field(
        0.25, ge=0, description="an alert waits no longer for BERT's reasons; at 0 it gives the online model's alone"
    )
    score_batch: int = Field(32, ge=1, description="snapshots scored in one call")

    collector_host: str = "127.0.0.1"
    collector_port: int = 8080
    write_keys: str = Field("dev-write-key", description="keys that storefronts may write with, separated by commas")
    collector_origins: str = Field("*", description="sites whose pages may send, separated by commas; * for any")
    collector_queue: int = Field(20_000, ge=1, description="records waiting for Kafka beyond which it answers 429")
    collector_deadline_s: float = Field(10.0, gt=0, description="records not in Kafka by then are answered with 503")
    items_snapshot_s: float = Field(300.0, gt=0, description="time between two snapshots of the item index")
    explore: float = Field(
        0.05, ge=0, lt=1, description="share of lists of recommendations that a source drawn by lot leads"
    )
    recommender_host: str = "127.0.0.1"
    recommender_port: int = 8081
    metrics_base_port: int = Field(9200, description="the first of the workers' Prometheus ports")
    prometheus_port: int = 9090

    currency: str = Field("USD", description="assumed for events that name none; the currency of money features")
    lateness_s: int = Field(86_400, description="events late by less land in their window; later ones in totals only")
    ahead_s: int = Field(3_600, description="an event's time may lie this far ahead of its arrival")
    session_gap_s: int = Field(1_800, description="silence that ends a session")
    cart_abandoned_s: int = Field(3_600, description="silence after which a cart is abandoned")
    debounce_s: int = Field(600, description="a customer is scored again within a session only after this long")
    profile_ttl_days: int = Field(1_095, description="silence after which a profile is forgotten")
    emit: bool = Field(
        True, description="whether feature snapshots and interactions are written; off to rebuild profiles alone"
    )
    flush_interval_s: float = Field(
        1.0, gt=0, description="time between two barriers: what is read again after a crash"
    )
    flush_behind: int = Field(
        10,
        ge=1,
        description="of so many intervals one has a barrier while a worker catches up: each changed profile is "
        "written once a barrier, so rare ones cost less; 100,000 changed profiles have one all the same",
    )
    delivery_s: float = Field(
        120.0, ge=1, description="a worker whose record Kafka has not taken by then starts again from its last commit"
    )
    stall_s: float = Field(
        30.0, gt=0, description="a worker that no longer reads a partition that has more starts again after this long"
    )

    waiting_records: int = Field(
        40_000, ge=1, description="records of a topic that is read ahead of another, kept in a worker until their turn"
    )

    churn_days: int = Field(30, ge=1, description="churn: no purchase within this many days")
    intent_days: int = Field(7, ge=1, description="intent: a purchase within this many days")
    value_days: int = Field(90, ge=1, description="value: what is spent within this many days")
    prior: Path | None = Field(
        None, description="what a new shop's online models begin with, by `footfall prior`; default: the one shipped"
    )
    holdout_share: float = Field(
        0.05, ge=0, lt=1, description="share of customers that get no alerts, to measure effect"
    )
    alert_marks: dict[str, dict[str, float]] = Field(
        {}, description="JSON: by kind, when an alert is raised (high, low, late, cooldown_days, daily)"
    )
    alert_budget: dict[str, int] = Field(
        {}, description="JSON: by kind, how many alerts a day the whole shop may send; none given: any number"
    )
    timezone: str = Field("UTC", description="where the shop's day begins, as in Europe/Berlin: a budget is for a day")

    @field_validator("timezone")
    @classmethod
    def _zone_is_one(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone {given!r}; write a name such as Europe/Berlin") from None
        return given

    @field_validator("alert_budget")
    @classmethod
    def _budget_makes_sense(cls, given: dict[str, int]) -> dict[str, int]:
        if given:
            from online.alerts import KINDS
            from online.budget import limits_of

            limits_of(given, KINDS)
        return given

    @field_validator("alert_marks")
    @classmethod
    def _marks_make_sense(cls, given: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        # Most processes have no marks, and decide nothing.
        if given:
            from online.marks import marks_of

            marks_of(given)
        return given

    def given(self, name: str) -> bool:
        """Whether this setting was chosen by the operator rather than left at its default."""
        return name in self.model_fields_set

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these same settings: those that were chosen, not the defaults."""
        chosen = self.model_dump(mode="json", include=self.model_fields_set, exclude_none=True)
        return {
            f"FOOTFALL_{name.upper()}": json.dumps(value) if isinstance(value, dict) else str(value)
            for name, value in chosen.items()
        }

    def topic(self, name: str) -> str:
        """A topic's name on the cluster."""
        return self.topic_prefix + name

    @property
    def repository(self) -> Path:
        """Triton's model repository; by default the local Triton's."""
        return self.model_repository or self.data_dir / "triton" / "models"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of the shop's day."""
        return ZoneInfo(self.timezone)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The write keys."""
        return frozenset(key.strip() for key in self.write_keys.split(",") if key.strip())


def refusal(error: ValueError) -> str | None:
    """What is wrong with the settings and what to write, a setting a line; None for an error of something else."""
    if isinstance(error, SettingsError):
        name = next((name for name in EXAMPLES if f'"{name}"' in str(error)), "alert_marks")
        return f"{error} ({error.__cause__}): write JSON, for example FOOTFALL_{name.upper()}='{EXAMPLES[name]}'"
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return "; ".join(_wrong([str(part) for part in one["loc"]], one["msg"]) for one in error.errors())
    return None


def _wrong(where: list[str], message: str) -> str:
    name, *within = where
    return " ".join([f"FOOTFALL_{name.upper()}", *within]) + f": {message.removeprefix('Value error, ')}"
