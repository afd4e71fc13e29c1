"""The journal's tables, and how they came to be. Read this before you write SQL against a journal.

``calls``
    One ended call a row, exactly what its span and metrics were made from. Ids rise and are never reused. ``pending``
    is 1 while an unknown price may be found out, and 0 once that is given up; with a price found later come the tokens
    that had not been told.
``sources``
    Who wrote: one row a process (its ``process`` identity, pid, service instance, and the `openrouter-otel run` it
    belongs to). ``lost`` counts calls that the process could not write: with any, a report is incomplete.
``series``
    One row for each set of attributes that calls have in common, those of the metrics: `SERIES`. An absent one is
    ``''``. Names are cleaned as labels are, so that a user has the same name here and in Prometheus; ``user_id``
    ``''`` is anonymous. ``metric_tags`` is a JSON object with sorted keys of the tags in the writer's `metric_tags`;
    all tags of a call are in ``calls.tags``. ``cost_source`` is what it was when the call ended: it stays ``unknown``
    when a price is found out later (then ``calls.resolved_at`` is set and ``resolved`` counts it).
``hourly``, ``totals``
    Sums of calls by (hour since the epoch of their end, series), and by series over all time, kept by the same
    transactions as the rows. They outlive the rows: a pruning deletes from ``calls`` alone, so an exporter that serves
    ``totals`` never resets, and a report of all time stays right. Columns: `COUNTS`, `MONEY`, `SECONDS`, `EXTREMES`.
``histograms``
    Calls of all time by (series, metric, upper bound), not cumulative; bounds are those of `names`, the last infinity.
    Metrics: those of `HISTOGRAMS`.
``meta``
    ``identity``: 16 hex digits, the ``process`` under which an exporter serves this journal. ``complete_since``:
    milliseconds; rows that ended before may have been pruned. Absent: none were.
``records`` (a view)
    A call a row with everything spelled out: first the columns of `RECORD_COLUMNS`, then the rest; absent is NULL.

Units: instants are whole milliseconds since the epoch, durations seconds (REAL, as measured), tokens whole. Money in
``calls`` is exact decimal TEXT in USD: ``charged`` by OpenRouter, ``estimated`` where it told no cost,
``provider_cost`` of the provider under BYOK, ``cost`` their sum; NULL is unknown, not zero. In sums it is a pair of
integers: see `money`.

How to read ten million rows: sums by hour, model, user and so on come from ``hourly`` for whole hours and from
``calls`` for the odd minutes at a period's ends; durations, first tokens and output rates, for exact quantiles, from
the index ``calls_by_time``, which has all they need; sessions from ``calls_by_session``; series is small enough to be
held in memory.
"""

from __future__ import annotations

from typing import Final

from openrouter_otel import names

APPLICATION_ID: Final = 0x4F524A4C  # "ORJL", so that nobody else's database is taken for a journal

SERIES: Final = (
    "model",
    "requested_model",
    "provider",
    "operation",
    "user_id",
    "metric_tags",
    "outcome",
    "cost_source",
    "finish_reason",
    "error_type",
    "service_name",
    "environment",
)
CALL: Final = (
    "ended_at",
    "duration",
    "first_token",
    "first_chunk",
    "input_tokens",
    "output_tokens",
    "details",
    "charged",
    "estimated",
    "provider_cost",
    "cost",
    "retries",
    "stream",
    "byok",
    "session_id",
    "tags",
    "error_message",
    "generation_id",
    "native_finish_reason",
    "pending",
)
COUNTS: Final = (
    "requests",
    "retries",
    "resolved",  # calls whose price was found out later
    "input_tokens",
    "output_tokens",
    *names.TOKEN_DETAILS,
    "timed",  # calls with a duration
    "first_tokens",  # calls with a first token
    "rates",  # calls with an output rate
)
MONEY: Final = ("charged", "estimated", "provider_cost")
SECONDS: Final = ("seconds", "seconds_squared", "first_token_seconds", "rate_sum")
EXTREMES: Final = ("shortest", "longest")
HISTOGRAMS: Final = (names.DURATION, names.FIRST_TOKEN, names.OUTPUT_RATE)
HOUR_MS: Final = 3_600_000

RECORD_COLUMNS: Final = (
    "timestamp",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "latency_ms",
    "cost",
    "user_id",
    "tags",
    "session_id",
    "provider",
    "operation",
    "outcome",
    "error_type",
    "error_message",
    "generation_id",
)

# What an SQLite with an older `user_version` still has to go through, in order. A migration that has been released is
# never changed, and takes no names from elsewhere.
_SUMS: Final = """
    requests INTEGER NOT NULL, retries INTEGER NOT NULL, resolved INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, reasoning INTEGER NOT NULL,
    audio_input INTEGER NOT NULL, audio_output INTEGER NOT NULL,
    image_input INTEGER NOT NULL, image_output INTEGER NOT NULL, video_input INTEGER NOT NULL,
    timed INTEGER NOT NULL, first_tokens INTEGER NOT NULL, rates INTEGER NOT NULL,
    charged INTEGER NOT NULL, charged_rest INTEGER NOT NULL,
    estimated INTEGER NOT NULL, estimated_rest INTEGER NOT NULL,
    provider_cost INTEGER NOT NULL, provider_cost_rest INTEGER NOT NULL,
    seconds REAL NOT NULL, seconds_squared REAL NOT NULL,
    first_token_seconds REAL NOT NULL, rate_sum REAL NOT NULL,
    shortest REAL, longest REAL,
"""
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta VALUES ('identity', lower(hex(randomblob(8))))",
        """CREATE TABLE sources (
            id INTEGER PRIMARY KEY, process TEXT NOT NULL UNIQUE, pid INTEGER NOT NULL, run TEXT,
            service_instance_id TEXT, first_write INTEGER NOT NULL, lost INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE series (
            id INTEGER PRIMARY KEY, model TEXT NOT NULL, requested_model TEXT NOT NULL, provider TEXT NOT NULL,
            operation TEXT NOT NULL, user_id TEXT NOT NULL, metric_tags TEXT NOT NULL, outcome TEXT NOT NULL,
            cost_source TEXT NOT NULL, finish_reason TEXT NOT NULL, error_type TEXT NOT NULL,
            service_name TEXT NOT NULL, environment TEXT NOT NULL,
            UNIQUE (model, requested_model, provider, operation, user_id, metric_tags, outcome, cost_source,
                finish_reason, error_type, service_name, environment))""",
        """CREATE TABLE calls (
            id INTEGER PRIMARY KEY AUTOINCREMENT, series_id INTEGER NOT NULL REFERENCES series,
            source_id INTEGER NOT NULL REFERENCES sources, ended_at INTEGER NOT NULL,
            duration REAL, first_token REAL, first_chunk REAL,
            input_tokens INTEGER, output_tokens INTEGER, details TEXT,
            charged TEXT, estimated TEXT, provider_cost TEXT, cost TEXT,
            retries INTEGER NOT NULL, stream INTEGER NOT NULL, byok INTEGER NOT NULL,
            session_id TEXT, tags TEXT, error_message TEXT, generation_id TEXT, native_finish_reason TEXT,
            pending INTEGER, resolved_at INTEGER)""",
        "CREATE INDEX calls_by_time ON calls (ended_at, series_id, duration, first_token, output_tokens)",
        "CREATE INDEX calls_by_session ON calls (ended_at, session_id, cost) WHERE session_id IS NOT NULL",
        "CREATE INDEX calls_pending ON calls (ended_at) WHERE pending = 1",  # unknown price, known generation
        f"CREATE TABLE hourly (hour INTEGER, series_id INTEGER, {_SUMS} PRIMARY KEY (hour, series_id)) WITHOUT ROWID",
        f"CREATE TABLE totals ({_SUMS} series_id INTEGER PRIMARY KEY)",
        """CREATE TABLE histograms (
            series_id INTEGER, metric TEXT, le REAL, count INTEGER NOT NULL, PRIMARY KEY (series_id, metric, le)
        ) WITHOUT ROWID""",
        """CREATE VIEW records AS SELECT
            c.ended_at AS timestamp, nullif(s.model, '') AS model, c.input_tokens AS prompt_tokens,
            c.output_tokens AS completion_tokens, c.duration * 1000 AS latency_ms, c.cost AS cost,
            nullif(s.user_id, '') AS user_id, c.tags AS tags, c.session_id AS session_id,
            nullif(s.provider, '') AS provider, s.operation AS operation, s.outcome AS outcome,
            nullif(s.error_type, '') AS error_type, c.error_message AS error_message, c.generation_id AS generation_id,
            CASE WHEN c.resolved_at IS NULL THEN s.cost_source ELSE 'reported' END AS cost_source,
            nullif(s.requested_model, '') AS requested_model, nullif(s.finish_reason, '') AS finish_reason,
            c.native_finish_reason AS native_finish_reason, c.stream AS stream, c.byok AS byok, c.retries AS retries,
            c.duration AS duration, c.first_token AS first_token, c.first_chunk AS first_chunk, c.details AS details,
            c.charged AS charged, c.estimated AS estimated, c.provider_cost AS provider_cost,
            c.resolved_at AS resolved_at, nullif(s.service_name, '') AS service_name,
            p.service_instance_id AS service_instance_id, nullif(s.environment, '') AS environment,
            nullif(s.metric_tags, '') AS metric_tags, p.process AS process, p.pid AS pid, p.run AS run,
            c.id AS id, c.series_id AS series_id, c.source_id AS source_id
            FROM calls c JOIN series s ON s.id = c.series_id JOIN sources p ON p.id = c.source_id""",
    ),
)
VERSION: Final = len(MIGRATIONS)
