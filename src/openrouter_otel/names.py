"""The vocabulary: every metric, attribute, unit, bucket and word, written down once.

Emitters, PromQL, boards, rules and tests all read this file, so a renamed metric breaks a test and not
somebody's dashboard. Naming follows OpenTelemetry's semantic conventions for GenAI
(https://github.com/open-telemetry/semantic-conventions-genai); what they have no word for is ``openrouter.*``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

SCOPE: Final = "openrouter_otel"

# --- words of ours: parentheses mark them, so they can never be mistaken for a real name ---
OTHER: Final = "(other)"  # what exceeded a cap
UNKNOWN: Final = "(unknown)"  # a report's key where a label is absent
OVERFLOW: Final = "(overflow)"  # what OpenTelemetry's own cardinality limit took away
ANONYMOUS: Final = "anonymous"  # a call without a user

# --- how a call ended ---
OK: Final = "ok"
ERROR: Final = "error"
ABANDONED: Final = "abandoned"
CANCELLED: Final = "cancelled"
OUTCOMES: Final = (OK, ERROR, ABANDONED, CANCELLED)

# --- where a call's price came from ---
REPORTED: Final = "reported"
ESTIMATED: Final = "estimated"
UNPRICED: Final = "unknown"  # a charge may exist, nobody told us how much
FREE_FAILURE: Final = "none"  # OpenRouter answered an error and reported no usage
COST_SOURCES: Final = (REPORTED, ESTIMATED, UNPRICED, FREE_FAILURE)

# --- who gets the money ---
OPENROUTER: Final = "openrouter"
PROVIDER: Final = "provider"
PAYEES: Final = (OPENROUTER, PROVIDER)

# --- token types: the two that add up to the total, and the subsets that are never added to them ---
INPUT: Final = "input"
OUTPUT: Final = "output"
TOKEN_DETAILS: Final = (
    "cache_read",
    "cache_write",
    "reasoning",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
    "video_input",
)

# --- metric attributes ---
PROCESS: Final = "process"
MODEL: Final = "model"
REQUESTED_MODEL: Final = "requested_model"
UPSTREAM: Final = "provider"
OPERATION: Final = "operation"
USER: Final = "user"
OUTCOME: Final = "outcome"
COST_SOURCE: Final = "cost_source"
FINISH_REASON: Final = "finish_reason"
ERROR_TYPE: Final = "error.type"
TOKEN_TYPE: Final = "token_type"
PAYEE: Final = "payee"
TAG_PREFIX: Final = "tag."
BASE: Final = (PROCESS, MODEL, REQUESTED_MODEL, UPSTREAM, OPERATION)

# Resource attributes that our reader copies onto every sample, for filters; they are not part of a series' identity.
SERVICE_NAME: Final = "service.name"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
ENVIRONMENT: Final = "deployment.environment.name"
RESOURCE_ATTRIBUTES: Final = (SERVICE_NAME, SERVICE_INSTANCE_ID, ENVIRONMENT)

# One series per process is what makes counting exact; OpenTelemetry's own word when its limit is hit.
SDK_OVERFLOW: Final = "otel.metric.overflow"


def label(attribute: str) -> str:
    """The Prometheus label of an attribute: every character outside ``[a-zA-Z0-9_]`` becomes ``_``."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", attribute)


# E6 steps from 50 ms (first token: 20 ms) to ten minutes; floats only, since Prometheus 2 keeps the text of ``le``.
DURATION_BUCKETS: Final = (
    0.05, 0.068, 0.1, 0.15, 0.22, 0.33, 0.47, 0.68, 1.0, 1.5, 2.2, 3.3, 4.7, 6.8,
    10.0, 15.0, 22.0, 33.0, 47.0, 68.0, 100.0, 150.0, 220.0, 330.0, 470.0, 600.0,
)  # fmt: skip
FIRST_TOKEN_BUCKETS: Final = (0.02, 0.033, 0.047, *DURATION_BUCKETS[1:])
RATE_BUCKETS: Final = (
    1.0, 1.5, 2.2, 3.3, 4.7, 6.8, 10.0, 15.0, 22.0, 33.0, 47.0, 68.0,
    100.0, 150.0, 220.0, 330.0, 470.0, 680.0, 1000.0,
)  # fmt: skip

_UNITS: Final = {"s": "seconds"}


@dataclass(frozen=True, eq=False)  # compared by identity: looked up several times a call
class Metric:
    """One instrument.

    Attributes:
        name: the OpenTelemetry instrument's name.
        kind: what it is on the wire.
        unit: UCUM unit; text in braces is an annotation and leaves no trace in the Prometheus name.
        description: HELP text.
        attributes: those besides `BASE`, ``user`` and the tags.
        user: whether it has a ``user`` attribute.
        buckets: upper bounds of a histogram.
    """

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    user: bool = True
    buckets: tuple[float, ...] = ()

    @property
    def prometheus(self) -> str:
        """The name on /metrics; a histogram's is the stem of its ``_bucket``, ``_count`` and ``_sum``."""
        stem = label(self.name)
        unit = _UNITS.get(self.unit)
        if unit and not stem.endswith(unit):
            stem = f"{stem}_{unit}"
        return f"{stem}_total" if self.kind == "counter" else stem


REQUESTS: Final = Metric(
    "openrouter.requests",
    "counter",
    "{request}",
    "Calls that have ended, however they ended.",
    (OUTCOME, COST_SOURCE, FINISH_REASON),
)
ERRORS: Final = Metric("openrouter.errors", "counter", "{error}", "Calls that failed.", (ERROR_TYPE,))
RETRIES: Final = Metric("openrouter.retries", "counter", "{retry}", "Attempts the client repeated within its calls.")
TOKENS: Final = Metric(
    "openrouter.tokens",
    "counter",
    "{token}",
    "Tokens as OpenRouter bills them; input and output sum to the total.",
    (TOKEN_TYPE,),
)
TOKENS_DETAIL: Final = Metric(
    "openrouter.tokens.detail",
    "counter",
    "{token}",
    "Subsets of the tokens, already contained in input or output: never add them to the total.",
    (TOKEN_TYPE,),
)
COST: Final = Metric(
    "openrouter.cost.usd",
    "counter",
    "",  # a unit would be appended to a name that already says it
    "Spend in USD: what OpenRouter charged, and under BYOK what the provider bills.",
    (COST_SOURCE, PAYEE, OUTCOME),
)
DURATION: Final = Metric(
    "openrouter.request.duration",
    "histogram",
    "s",
    "Duration of a call as its caller saw it: retries and the reading of a stream included.",
    (OUTCOME,),
    buckets=DURATION_BUCKETS,
)
FIRST_TOKEN: Final = Metric(
    "openrouter.time.to.first.token",
    "histogram",
    "s",
    "Streams: time until the first chunk with content, reasoning or a tool call.",
    user=False,
    buckets=FIRST_TOKEN_BUCKETS,
)
OUTPUT_RATE: Final = Metric(
    "openrouter.output.rate",
    "histogram",
    "",
    "Streams: output tokens per second after the first token.",
    user=False,
    buckets=RATE_BUCKETS,
)
DURATION_SQUARED: Final = Metric(
    "openrouter.duration.squared",
    "counter",
    "",
    "Sum of squared seconds of calls that went well, for an exact standard deviation.",
    user=False,
)
DURATION_MIN: Final = Metric(
    "openrouter.duration.min",
    "gauge",
    "s",
    "Shortest call that went well in the current and the previous minute.",
    user=False,
)
DURATION_MAX: Final = Metric(
    "openrouter.duration.max",
    "gauge",
    "s",
    "Longest call that went well in the current and the previous minute.",
    user=False,
)
USAGE_METRICS: Final = (
    REQUESTS,
    ERRORS,
    RETRIES,
    TOKENS,
    TOKENS_DETAIL,
    COST,
    DURATION,
    FIRST_TOKEN,
    OUTPUT_RATE,
    DURATION_SQUARED,
    DURATION_MIN,
    DURATION_MAX,
)

# --- about the process itself: `process` is their only base attribute ---
BUILD_INFO: Final = Metric(
    "openrouter.otel.build.info",
    "gauge",
    "",
    "Versions at work in this process; always 1.",
    ("version", "openai_version"),
    user=False,
)
PROCESS_START: Final = Metric(
    "openrouter.process.start.time",
    "gauge",
    "s",
    "When this process began to count, in seconds since the epoch.",
    user=False,
)
PROCESS_METRICS: Final = (BUILD_INFO, PROCESS_START)
METRICS: Final = USAGE_METRICS + PROCESS_METRICS

# --- what only ``openrouter-otel exporter`` serves: prices found out later, and the account's own figures ---
RESOLVED: Final = Metric(
    "openrouter.resolved", "counter", "{request}", "Calls whose unknown price was found out later.", (OUTCOME,)
)
KEY_LIMIT: Final = Metric("openrouter.key.limit.usd", "gauge", "", "Credit limit of the API key.", user=False)
KEY_LIMIT_REMAINING: Final = Metric(
    "openrouter.key.limit.remaining.usd", "gauge", "", "What is left of the API key's credit limit.", user=False
)
KEY_USAGE: Final = Metric(
    "openrouter.key.usage.usd", "gauge", "", "What OpenRouter charged this API key.", ("period",), user=False
)
KEY_FREE_REQUESTS: Final = Metric(
    "openrouter.key.free.requests.remaining", "gauge", "", "Calls of free models left today.", user=False
)
CREDITS_REMAINING: Final = Metric(
    "openrouter.credits.remaining.usd", "gauge", "", "What is left of the organisation's credit.", user=False
)
ACCOUNT_METRICS: Final = (KEY_LIMIT, KEY_LIMIT_REMAINING, KEY_USAGE, KEY_FREE_REQUESTS, CREDITS_REMAINING)
EXPORTER_METRICS: Final = (RESOLVED, *ACCOUNT_METRICS)

# --- the GenAI conventions' own, on request ---
# https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md
_GEN_AI: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
)
GEN_AI_DURATION: Final = Metric(
    "gen_ai.client.operation.duration",
    "histogram",
    "s",
    "GenAI operation duration.",
    (*_GEN_AI, ERROR_TYPE),
    user=False,
    buckets=(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
GEN_AI_TOKENS: Final = Metric(
    "gen_ai.client.token.usage",
    "histogram",
    "{token}",
    "Number of input and output tokens used.",
    (*_GEN_AI, "gen_ai.token.type"),
    user=False,
    buckets=tuple(4.0**power for power in range(14)),
)
GEN_AI_FIRST_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_to_first_chunk",
    "histogram",
    "s",
    "Time to receive the first chunk, measured from when the client issues the generation request.",
    _GEN_AI,
    user=False,
    buckets=GEN_AI_DURATION.buckets,
)
GEN_AI_METRICS: Final = (GEN_AI_DURATION, GEN_AI_TOKENS, GEN_AI_FIRST_CHUNK)
BY_NAME: Final = {metric.name: metric for metric in METRICS + EXPORTER_METRICS + GEN_AI_METRICS}
