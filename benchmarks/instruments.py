"""How each subject is switched on, content capture off, on the application's own providers. Runs in its environment."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final

from benchmarks.subjects import SUBJECTS


def switch_on(name: str) -> None:
    """Instrument the openai client; OpenTelemetry's global providers are set already."""
    _HOW.get(name, _nothing)()


def versions(name: str) -> dict[str, str]:
    """What was measured."""
    package = SUBJECTS[name].package
    return {part: metadata.version(part) for part in (package, "openai", "opentelemetry-sdk")}


def _nothing() -> None:
    """The bare client."""


def _ours() -> None:
    import_module("openrouter_otel").OpenRouterInstrumentor().instrument()


def _journaled() -> None:
    path = Path(tempfile.mkdtemp(prefix="openrouter-otel-bench-")) / "usage.db"
    import_module("openrouter_otel").OpenRouterInstrumentor().instrument(journal=path)


def _official() -> None:
    import_module("opentelemetry.instrumentation.genai.openai").OpenAIInstrumentor().instrument()


def _traceloop() -> None:
    import_module("opentelemetry.instrumentation.openai").OpenAIInstrumentor().instrument()


def _openinference() -> None:
    config = import_module("openinference.instrumentation").TraceConfig(hide_inputs=True, hide_outputs=True)
    import_module("openinference.instrumentation.openai").OpenAIInstrumentor().instrument(config=config)


def _openlit() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as prices:  # else it fetches a list from GitHub
        json.dump({"chat": {}, "embeddings": {}}, prices)
        prices.flush()
        import_module("openlit").init(capture_message_content=False, disable_events=True, pricing_json=prices.name)


def _genai_otel() -> None:
    config: Any = import_module("genai_otel.config").OTelConfig(enable_gpu_metrics=False)
    instrumentors = import_module("genai_otel.instrumentors")
    instrumentors.OpenAIInstrumentor().instrument(config)  # in the order of its own `instrument()`
    instrumentors.OpenRouterInstrumentor().instrument(config)


_HOW: Final[dict[str, Callable[[], None]]] = {
    "ours": _ours,
    "journal": _journaled,
    "official": _official,
    "traceloop": _traceloop,
    "openinference": _openinference,
    "openlit": _openlit,
    "genai-otel": _genai_otel,
}
