"""Who is measured: us and the instrumentations of the openai client that an application might use instead."""

from __future__ import annotations

from typing import Final, NamedTuple

_COMMON: Final = ("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-prometheus==0.66b2")


class Subject(NamedTuple):
    """One instrumentation.

    Attributes:
        name: on the command line and as a table's column.
        package: its distribution.
        pins: what its environment holds; empty: the environment we run in.
        alone: pins that are installed without their dependencies.
        remark: what the reader has to know about its environment.
    """

    name: str
    package: str
    pins: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    remark: str = ""


OURS: Final = Subject("ours", "openrouter-otel")
JOURNALED: Final = Subject("journal", "openrouter-otel", remark="ours, with a journal besides")
RIVALS: Final = (
    Subject(
        "official",
        "opentelemetry-instrumentation-genai-openai",
        (*_COMMON, "openai==3.54.0", "opentelemetry-instrumentation-genai-openai==1.3b0"),
    ),
    Subject(
        "traceloop",
        "opentelemetry-instrumentation-openai",
        (*_COMMON, "openai==3.54.0", "opentelemetry-instrumentation-openai==0.62.4"),
    ),
    Subject(
        "openinference",
        "openinference-instrumentation-openai",
        (*_COMMON, "openai==3.54.0", "openinference-instrumentation-openai==0.1.66"),
    ),
    Subject(
        "openlit",
        "openlit",
        (
            *_COMMON,
            "openai==2.54.0",
            "opentelemetry-exporter-otlp==1.45.2",
            "opentelemetry-instrumentation==0.66b2",
            "requests",
            "schedule",
            "xmltodict",
        ),
        ("openlit==1.45.0",),
        "takes no openai 3, so it runs on 2.54.0; installed without the dependencies that this needs not, and given an"
        " empty price list (its own is fetched from GitHub)",
    ),
    Subject(
        "genai-otel",
        "genai-otel-instrument",
        (
            *_COMMON,
            "openai==3.54.0",
            "opentelemetry-exporter-otlp==1.45.2",
            "opentelemetry-instrumentation==0.66b2",
            "requests",
            "wrapt",
        ),
        ("genai-otel-instrument==1.42.0",),
        "installed without its pin on certifi; its instrumentors are switched on without its span processors",
    ),
)
SUBJECTS: Final = {subject.name: subject for subject in (OURS, JOURNALED, *RIVALS)}
