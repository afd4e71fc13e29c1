"""Programs that push, and who receives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from endpoint.conftest import host, launcher, run
from otlp_receiver import OtlpReceiver

__all__ = ["host", "launcher", "run"]


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """Takes what is pushed."""
    with OtlpReceiver() as listening:
        yield listening


@pytest.fixture
def otlp(receiver: OtlpReceiver) -> dict[str, str]:
    """The environment of a program that pushes, as OpenTelemetry's own documentation has it."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",  # the launcher's default is gRPC
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "shop",
    }
