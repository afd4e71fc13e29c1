"""What can be set: the only reader of the environment.

Keyword arguments of `instrument()` beat the environment. A bad keyword is a ValueError that names the setting and what
it takes; a bad environment value is one ERROR line and the default, since telemetry never stops an application.
"""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from openrouter_otel import names

_log = logging.getLogger("openrouter_otel")

USERS: Final = ("plain", "hashed", "off")
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9464
CACHE: Final = "openrouter-otel"
OPENROUTER_API: Final = "https://openrouter.ai/api/v1"
API_KEY: Final = "OPENROUTER_API_KEY"
MANAGEMENT_KEY: Final = "OPENROUTER_MANAGEMENT_KEY"
JOURNAL: Final = "OPENROUTER_OTEL_JOURNAL"
RUN: Final = "OPENROUTER_OTEL_RUN"
DOCTOR: Final = "OPENROUTER_OTEL_DOCTOR"


@dataclass(frozen=True)
class Settings:
    """How to measure; see the README's table.

    Attributes:
        base_urls: (host, port or None) pairs that count as OpenRouter besides openrouter.ai and its subdomains.
        serve_metrics: serve /metrics ourselves; None: where the application has no MeterProvider.
        metric_tags: tags that become metric attributes.
        users: ``plain``, ``hashed`` or ``off``.
        user_hash_key: key of the HMAC, required by ``hashed``.
        max_users: distinct users on counters.
        max_histogram_users: distinct users on histograms.
        max_series: attribute sets of one instrument.
        latency_buckets: upper bounds in seconds; None: the default ladder of each histogram.
        estimate_costs: price usage that came without a cost.
        semconv_metrics: emit the GenAI conventions' own metrics too.
        journal: absolute path of the local journal; None: no journal.
        journal_retention_days: rows of the journal that are older are deleted, their sums stay; None: never.
    """

    base_urls: tuple[tuple[str, int | None], ...] = ()
    serve_metrics: bool | None = None
    metric_tags: tuple[str, ...] = ()
    users: str = "plain"
    user_hash_key: str | None = None
    max_users: int = 1000
    max_histogram_users: int = 100
    max_series: int = 5000
    latency_buckets: tuple[float, ...] | None = None
    estimate_costs: bool = True
    semconv_metrics: bool = False
    journal: str | None = None
    journal_retention_days: int | None = None


def resolve(keywords: Mapping[str, Any]) -> Settings:
    """The settings that hold: keywords, else environment, else defaults.

    Raises:
        ValueError: a keyword is unknown or has a value the setting does not take.
    """
    unknown = sorted(set(keywords) - set(_TAKES))
    if unknown:
        raise ValueError(f"{unknown[0]} is not a setting of openrouter-otel; known are: {', '.join(_TAKES)}")
    values = {name: _from_keyword(name, keywords[name]) for name in keywords}
    values |= {name: value for name in _TAKES if name not in values for value in _from_environment(name)}
    settings = _with_key(Settings(**values), explicit="users" in keywords or "user_hash_key" in keywords)
    return _served_once(settings) if settings.journal else settings


def sdk_disabled() -> bool:
    """Whether OTEL_SDK_DISABLED switches telemetry off altogether."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def metrics_address() -> tuple[str, int | None]:
    """Host and explicit port (None: any of the ten from 9464 on) to serve /metrics at."""
    host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or DEFAULT_HOST
    text = os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip()
    if not text:
        return host, None
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 65536:
        return host, int(text)
    _log.error("OTEL_EXPORTER_PROMETHEUS_PORT takes a port number, not %r; using %d", text, DEFAULT_PORT)
    return host, None


def prometheus_url() -> str | None:
    """Where the report looks for Prometheus: PROMETHEUS_URL."""
    return os.environ.get("PROMETHEUS_URL", "").strip() or None


def openrouter_api() -> str:
    """Where OpenRouter's own API is: OPENROUTER_BASE_URL, as many programs name it, else the public one."""
    return os.environ.get("OPENROUTER_BASE_URL", "").strip() or OPENROUTER_API


def api_key() -> str | None:
    """The key that programs call OpenRouter with: OPENROUTER_API_KEY."""
    return os.environ.get(API_KEY, "").strip() or None


def management_key() -> str | None:
    """The key that may see the whole account, and call no model: OPENROUTER_MANAGEMENT_KEY."""
    return os.environ.get(MANAGEMENT_KEY, "").strip() or None


def cache_directory() -> Path:
    """Where the report may keep what it can do without: the user's cache directory."""
    told = os.environ.get("XDG_CACHE_HOME", "").strip()
    if told:
        return Path(told) / CACHE
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / CACHE / "Cache"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / CACHE


def journal() -> str | None:
    """The journal that the environment names: OPENROUTER_OTEL_JOURNAL."""
    return os.environ.get(JOURNAL, "").strip() or None


def environment_of_run(bootstrap: str, journal: str, run: str) -> dict[str, str]:
    """The environment of a program that is measured from outside: ours, with a folder first on PYTHONPATH."""
    return {**os.environ, "PYTHONPATH": _path_with(bootstrap), JOURNAL: journal, RUN: run}


def environment_of_doctor(bootstrap: str, folder: str) -> dict[str, str]:
    """The environment of a program that is looked at and left as it is; it tells what is seen in a folder."""
    return {**os.environ, "PYTHONPATH": _path_with(bootstrap), DOCTOR: folder}


def _path_with(bootstrap: str) -> str:
    return os.pathsep.join(filter(None, (bootstrap, os.environ.get("PYTHONPATH"))))


def run() -> str | None:
    """The `openrouter-otel run` that this process belongs to: OPENROUTER_OTEL_RUN."""
    return os.environ.get(RUN, "").strip() or None


def doctor() -> str | None:
    """Where this process tells what is seen in it, for the `openrouter-otel doctor` that has started it."""
    return os.environ.get(DOCTOR, "").strip() or None


def colours() -> bool:
    """Whether a terminal may be given colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _from_keyword(name: str, value: object) -> Any:
    parse, takes = _TAKES[name]
    try:
        return parse(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} takes {takes}, not {_shown(name, value)}") from error


def _from_environment(name: str) -> Iterator[Any]:
    """The value of a variable that is set and good."""
    variable = f"OPENROUTER_OTEL_{name.upper()}"
    text = os.environ.get(variable, "").strip()
    if not text:
        return
    parse, takes = _TAKES[name]
    try:
        yield parse(text)
    except (TypeError, ValueError):
        _log.error("%s takes %s, not %s; using the default", variable, takes, _shown(name, text))


def _with_key(settings: Settings, *, explicit: bool) -> Settings:
    if settings.users != "hashed" or settings.user_hash_key:
        return settings
    missing = "users='hashed' needs user_hash_key (OPENROUTER_OTEL_USER_HASH_KEY), a secret of at least 16 characters"
    if explicit:
        raise ValueError(missing)
    _log.error("%s; users are left out until it is set", missing)  # never fall back to telling who they are
    return replace(settings, users="off")


def _served_once(settings: Settings) -> Settings:
    """With a journal /metrics is off unless asked for: an exporter of the journal serves the same calls."""
    if settings.serve_metrics:
        _log.warning(
            "serve_metrics and journal are both set: where an exporter serves this journal too, Prometheus counts every"
            " call twice"
        )
        return settings
    return replace(settings, serve_metrics=False)


def _shown(name: str, value: object) -> str:
    return "the value given" if name == "user_hash_key" else repr(value)


# --- what each setting takes: a parser for both the keyword's value and the environment's text ---
def _words(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        raise TypeError(value)
    words = tuple(part.strip() if isinstance(part, str) else part for part in parts)
    if not all(isinstance(word, str) for word in words):
        raise TypeError(value)
    return tuple(word for word in words if word)


def _base_urls(value: object) -> tuple[tuple[str, int | None], ...]:
    return tuple(_host_and_port(word) for word in _words(value))


def _host_and_port(text: str) -> tuple[str, int | None]:
    parts = urlsplit(text if "//" in text else f"//{text}")
    if not parts.hostname or any(c.isspace() for c in text):
        raise ValueError(text)
    return parts.hostname, parts.port


def _tags(value: object) -> tuple[str, ...]:
    tags = _words(value)
    labels = [names.label(tag) for tag in tags]
    if len(set(labels)) != len(labels):
        raise ValueError("two tags become the same label")
    return tags


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _SWITCHES:
        return _SWITCHES[value.strip().lower()]
    raise ValueError(value)


def _count(value: object) -> int:
    number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else 0
    if number < 1:
        raise ValueError(value)
    return number


def _buckets(value: object) -> tuple[float, ...] | None:
    if isinstance(value, str) and value.strip().lower() == "e6":
        return None
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        raise TypeError(value)
    bounds = tuple(float(part) for part in parts)
    if not bounds or any(not math.isfinite(b) or b <= 0 for b in bounds) or list(bounds) != sorted(set(bounds)):
        raise ValueError(value)
    return bounds


def _users(value: object) -> str:
    if value not in USERS:
        raise ValueError(value)
    return str(value)


def _hash_key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) < 16:
        raise ValueError("too short")
    return value


def _path(value: object) -> str | None:
    if value is None:
        return None
    path = os.fspath(value) if isinstance(value, (str, os.PathLike)) else ""
    if not isinstance(path, str) or not path.strip() or "\0" in path:
        raise ValueError(value)
    return os.path.abspath(os.path.expanduser(path))  # programs change their directory


def _days(value: object) -> int | None:
    return None if value is None else _count(value)


_SWITCHES: Final = {
    "true": True,
    "1": True,
    "on": True,
    "yes": True,
    "false": False,
    "0": False,
    "off": False,
    "no": False,
}
_SWITCH: Final = "True or False (environment: true, false, on, off, 1, 0)"
_POSITIVE: Final = "a whole number above 0"
_TAKES: Final[dict[str, tuple[Callable[[object], object], str]]] = {
    "base_urls": (_base_urls, "hosts, host:port pairs or URLs (environment: comma separated)"),
    "serve_metrics": (_switch, _SWITCH),
    "metric_tags": (_tags, "tag names that become different labels (environment: comma separated)"),
    "users": (_users, "'plain', 'hashed' or 'off'"),
    "user_hash_key": (_hash_key, "a secret of at least 16 characters"),
    "max_users": (_count, _POSITIVE),
    "max_histogram_users": (_count, _POSITIVE),
    "max_series": (_count, _POSITIVE),
    "latency_buckets": (_buckets, "'E6' or rising numbers of seconds"),
    "estimate_costs": (_switch, _SWITCH),
    "semconv_metrics": (_switch, _SWITCH),
    "journal": (_path, "the path of a file"),
    "journal_retention_days": (_days, "a whole number of days above 0"),
}
