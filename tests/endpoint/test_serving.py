"""/metrics from one line: from the first second, at the next free port, or with a word why not."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version

from endpoint.programs import PORTS, Program, port, scrape

ONE_LINE = """
OpenRouterInstrumentor().instrument()
say()
hear()
"""
ONE_CALL = """
OpenRouterInstrumentor().instrument()
with usage_context() as usage:
    ask()
say([usage.requests, str(usage.cost)])
hear()
"""
Run = Callable[..., Program]


def taken(host: str, number: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex((host, number)) == 0


def listener(host: str, number: int) -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((host, number))
    holder.listen()
    return holder


def test_one_line_serves_build_info_on_loopback_before_any_call(run: Run) -> None:
    program = run(ONE_LINE, OTEL_EXPORTER_PROMETHEUS_HOST=None)
    program.hear()

    [address] = program.addresses
    assert address.startswith("http://127.0.0.1:")
    assert port(address) in PORTS
    shown = scrape(address)
    assert {s.name for s in shown.samples} == {"openrouter_otel_build_info", "openrouter_process_start_time_seconds"}
    assert re.fullmatch("[0-9a-f]{16}", shown.process)
    versions = {"version": version("openrouter-otel"), "openai_version": version("openai")}
    assert shown.values("openrouter_otel_build_info", **versions) == [1]
    assert shown.total("openrouter_process_start_time_seconds") > 1_700_000_000
    assert program.lines("WARNING") + program.lines("ERROR") == []


def test_a_second_program_gets_the_next_port_and_both_are_scraped(run: Run, host: str) -> None:
    first = run(ONE_CALL)
    first.hear()
    second = run(ONE_CALL)
    second.hear()

    assert first.addresses == [f"http://{host}:9464/metrics"]
    assert second.addresses == [f"http://{host}:9465/metrics"]
    one, other = scrape(first.addresses[0]), scrape(second.addresses[0])
    assert one.process != other.process
    assert one.total("openrouter_requests_total") == other.total("openrouter_requests_total") == 1


def test_with_all_ten_ports_taken_one_warning_says_so_and_the_program_works(run: Run, host: str) -> None:
    with ExitStack() as stack:
        for number in PORTS:
            stack.enter_context(listener(host, number))
        program = run(ONE_CALL)
        requests, cost = program.hear()

    assert requests == 1
    assert float(cost) > 0
    [line] = program.lines("WARNING")
    assert "on no /metrics" in line
    assert "9464-9473" in line
    assert "OTEL_EXPORTER_PROMETHEUS_PORT" in line
    assert program.addresses == []


def test_an_explicit_port_is_taken_literally(run: Run, host: str) -> None:
    with listener(host, 0) as holder, listener(host, 0) as other:
        number, busy = holder.getsockname()[1], other.getsockname()[1]
        holder.close()
        program = run(ONE_LINE, OTEL_EXPORTER_PROMETHEUS_PORT=str(number))
        late = run(ONE_CALL, OTEL_EXPORTER_PROMETHEUS_PORT=str(busy))
        program.hear()
        assert late.hear()[0] == 1

    assert program.addresses == [f"http://{host}:{number}/metrics"]
    assert scrape(program.addresses[0]).process
    assert late.addresses == []  # it took none of the ten in its stead
    [line] = late.lines("WARNING")
    assert f"{host}:{busy}" in line


def test_switched_off_nothing_is_served(run: Run, host: str) -> None:
    by_keyword = ONE_CALL.replace("instrument()", "instrument(serve_metrics=False)")
    programs = [
        run(by_keyword, OPENROUTER_OTEL_SERVE_METRICS="on"),
        run(ONE_CALL, OPENROUTER_OTEL_SERVE_METRICS="off"),
        run(ONE_CALL, OTEL_SDK_DISABLED="true"),
    ]

    assert [program.hear()[0] for program in programs] == [1, 1, 0]
    assert not any(taken(host, number) for number in PORTS)
    for program in programs:
        assert program.addresses + program.lines("WARNING") + program.lines("ERROR") == []
