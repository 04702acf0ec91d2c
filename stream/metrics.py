"""What Prometheus measures of every stage, named by Prometheus' conventions: unit last, `_total` for counters."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from stream.recommender.metrics import gauges

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
_LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)
_DAYS = tuple(86_400 * n for n in (1, 3, 7, 8, 9, 10, 14, 21, 30, 31, 32, 35, 45, 60, 90, 91, 92, 95, 120, 180, 365))

CORE_COMPILED = Gauge("footfall_core_compiled", "1 where events pass through compiled code, 0 where it is interpreted")
READY = Gauge("footfall_ready", "1 once every assigned partition is restored")
RECORDS = Counter("footfall_records_total", "records read", ["stage", "topic"])
OUTPUTS = Counter("footfall_outputs_total", "records written", ["stage", "topic"])
RUN_RECORDS = Histogram("footfall_run_records", "records in a run", ["stage"], buckets=_SIZES)
RUN_SECONDS = Histogram("footfall_run_seconds", "time to process a run", ["stage"], buckets=_FAST)
FLUSH_SECONDS = Histogram("footfall_flush_seconds", "time of a barrier", ["stage"], buckets=_FAST)
RESTORED = Counter("footfall_restored_total", "store records read back", ["stage"])
RESTORE_SECONDS = Histogram("footfall_restore_seconds", "time to restore a partition", ["stage"], buckets=_LONG)
LAG = Gauge("footfall_lag_records", "records not yet processed", ["stage", "topic", "partition"])
INCOMPLETE = Gauge(
    "footfall_store_incomplete", "1 where a store had lost records at assignment", ["stage", "partition"]
)
STALLS = Counter("footfall_stalls_total", "times a worker no longer read its input, and started again", ["stage"])
LOST = Counter("footfall_lost_records_total", "records deleted before they were read", ["stage", "topic"])

EVENTS = Counter("footfall_events_total", "events accepted, by behaviour", ["behaviour"])
REJECTED = Counter("footfall_events_rejected_total", "events sent to dead letters, by reason", ["reason"])
REPEATED = Counter("footfall_events_repeated_total", "events that a profile held already")
UNVERIFIABLE = Counter(
    "footfall_events_unverifiable_total",
    "events that may repeat or change what a customer's bounded memory has forgotten: at most so many counted wrongly",
)
REROUTED = Counter("footfall_events_rerouted_total", "events sent on to their customer's own partition")
LATE = Counter("footfall_events_late_total", "events older than the lateness bound: counted, but trigger nothing")
LINKS = Counter("footfall_links_total", "sign-ins on devices, by what came of them", ["result"])
LINKS_REFUSED = Counter("footfall_links_refused_total", "sign-ins on a device whose id is somebody's userId")
LINKS_STRADDLED = Counter("footfall_links_straddled_total", "profiles moved whole, with behaviour after the sign-in")
CARRIES = Counter("footfall_carries_total", "profiles of devices on their way to users, by step", ["result"])
ERASURES = Counter("footfall_erasures_total", "customers forgotten, by what was asked of a partition", ["kind"])
FORWARDED = Counter("footfall_events_forwarded_total", "anonymous events of before a sign-in that came after it")
PROFILES = Gauge("footfall_profiles", "profiles held", ["partition"])
PROFILE_BYTES = Histogram(
    "footfall_profile_bytes", "size of one in sixteen written profiles", buckets=(128, 256, 512, 1024, 2048, 4096, 8192)
)
SNAPSHOTS = Counter("footfall_snapshots_total", "feature snapshots, by trigger", ["trigger"])

SCORES = Counter("footfall_scores_total", "scores, by source", ["source"])
FALLBACKS = Counter("footfall_fallbacks_total", "scores without BERT, by reason", ["reason"])
SCORE_BATCH = Histogram("footfall_score_batch", "snapshots in a call to Triton", buckets=_SIZES)
TRITON_SECONDS = Histogram(
    "footfall_triton_seconds",
    "time of a call to Triton, by what the version is for",
    ["role", "version"],
    buckets=_FAST,
)
BERT = Gauge("footfall_bert_info", "1 for each version of BERT in use, by what it is for", ["role", "version"])
UNANSWERED = Counter(
    "footfall_bert_unanswered_total", "snapshots a canary or shadow did not answer, by reason", ["role", "reason"]
)
SHADOW_DROPPED = Counter(
    "footfall_shadow_dropped_total",
    "live snapshots that the shadow was not asked about, so that nobody waits",
    ["reason"],
)
SHADOW_DISTANCE = Histogram(
    "footfall_shadow_distance",
    "how far the shadow's probability is from the serving version's",
    ["target", "version"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)
BREAKER = Gauge("footfall_breaker_open", "1 while the breaker keeps calls from Triton")
ALERTS = Counter("footfall_alerts_total", "alerts, by kind and arm", ["kind", "arm"])
HELD_BACK = Counter(
    "footfall_alerts_held_back_total",
    "times that there was no room in the day's budget for an alert, by kind and reason",
    ["kind", "reason"],
)
RECOMMENDATIONS = Counter("footfall_recommendations_total", "recommendations sent")
INDEX = gauges(REGISTRY)
LISTS_DROPPED = Counter(
    "footfall_recommendations_dropped_total", "recommendations that nobody would have waited for any more"
)
EXPLAINED = Counter("footfall_explained_total", "scores that BERT has explained, each of which led to an alert")
UNEXPLAINED = Counter(
    "footfall_unexplained_total",
    "scores that led to an alert with the online model's reasons only, by why",
    ["reason"],
)
EXPLAIN_SECONDS = Histogram("footfall_explain_seconds", "time to explain the scores of a batch", buckets=_FAST)
EFFECT_WINDOWS = Gauge(
    "footfall_effect_windows", "decisions whose horizon is over, by kind and arm", ["kind", "arm", "partition"]
)
EFFECT_BOUGHT = Gauge("footfall_effect_bought", "those of them in which she ordered", ["kind", "arm", "partition"])
OUTCOMES = Counter("footfall_outcomes_total", "outcomes told by the retention system", ["what"])
OUTCOMES_UNREADABLE = Counter("footfall_outcomes_unreadable_total", "records of `outcomes` that are none")
ALERT_SECONDS = Histogram("footfall_event_to_alert_seconds", "from an event's arrival to its alert", buckets=_LONG)
SCORE_SECONDS = Histogram("footfall_event_to_score_seconds", "from an event's arrival to its score", buckets=_LONG)
READ = Counter("footfall_reviews_read_total", "reviews that BERT read")
UNREAD = Counter("footfall_reviews_unread_total", "reviews that BERT did not read, by reason", ["reason"])
MODEL = Gauge("footfall_model_info", "1 for the version in use", ["model", "version"])

EXAMPLES = Counter("footfall_examples_total", "predictions matured into examples", ["target", "label"])
PENDING = Gauge("footfall_pending_predictions", "predictions waiting for their horizon", ["partition"])
CENSORED = Counter(
    "footfall_censored_total", "predictions whose outcome cannot be known, by target and reason", ["target", "reason"]
)
LABEL_DELAY = Histogram(
    "footfall_label_delay_seconds",
    "event time from a prediction until its outcome was known",
    ["target"],
    buckets=_DAYS,
)
LEARNED = Gauge("footfall_learned_examples", "examples learned, by target", ["target"])
UNLEARNED = Counter("footfall_unlearned_examples_total", "examples that taught nothing, by reason", ["reason"])
QUALITY = Gauge("footfall_quality", "rolling quality of what was served", ["target", "source", "metric"])
DRIFT = Gauge("footfall_drift_detections", "drifts detected in the log loss", ["target"])
SWAPS = Gauge("footfall_champion_changes", "times another model began to serve, by target and kind", ["target", "kind"])
SHIFT = Gauge("footfall_shift", "distance of the last window's distribution from those before", ["feature", "measure"])
SHIFTS = Counter("footfall_shift_alarms_total", "shifts found in what comes in, by feature or score", ["feature"])

_OF_A_PARTITION = (LAG, INCOMPLETE, PROFILES, PENDING)


def forget(partition: int) -> None:
    """A partition is another worker's now: what was last measured of it is no longer true, and must not be added up."""
    for gauge in _OF_A_PARTITION:
        gauge.remove_by_labels({"partition": str(partition)})
