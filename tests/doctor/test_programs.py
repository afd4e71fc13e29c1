"""Programs seen from inside: each is really run, wrong in the way that the doctor is to find."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doctor.conftest import Diagnose, Diagnosis, Started
from doctor.test_here import elsewhere
from doctor.test_prometheus import acme
from endpoint.programs import PORTS, PRELUDE
from fake_openrouter import FakeOpenRouter
from openrouter_otel import doctor

Look = Callable[..., Diagnosis]
BEGIN = "OpenRouterInstrumentor().instrument()\n"
OWN = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.exporter.prometheus import PrometheusMetricReader
"""


@pytest.fixture
def look(diagnose: Diagnose, openrouter: FakeOpenRouter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Has the doctor run a program that keeps a journal, so that no Prometheus is missed."""

    def at(
        code: str, *options: str, prelude: str = PRELUDE, base_urls: str | None = None, **variables: str
    ) -> Diagnosis:
        monkeypatch.setenv("OPENROUTER_OTEL_BASE_URLS", openrouter.base_url if base_urls is None else base_urls)
        monkeypatch.setenv("GATEWAY", openrouter.base_url)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "app.py").write_text(prelude.replace("OPENROUTER_OTEL_BASE_URLS", "GATEWAY") + code, "utf-8")
        return diagnose(*options, "--", sys.executable, "app.py")

    return at


def place(openrouter: FakeOpenRouter) -> str:
    return openrouter.base_url.split("/")[2]


def test_a_program_in_order_is_told_its_measured_calls(look: Look, openrouter: FakeOpenRouter, host: str) -> None:
    found = look(BEGIN + "ask(); ask()")

    found.find("ok", f"2 calls to {place(openrouter)} were measured")
    found.find("ok", "the program serves its metrics at port 9464")
    assert [what for what in found.told("problem", "warning") if "localhost:9090" not in what] == []


def test_a_program_that_is_not_instrumented(look: Look, openrouter: FakeOpenRouter) -> None:
    found = look("ask(); ask()")

    wrong = found.find("problem", f"is not instrumented: 2 calls to {place(openrouter)} were not measured")
    assert "OpenRouterInstrumentor().instrument()" in wrong["advice"]


def test_calls_made_too_early(look: Look, openrouter: FakeOpenRouter) -> None:
    found = look(f"ask(); ask(); ask()\n{BEGIN}ask()")

    found.find("problem", f"3 calls to {place(openrouter)} were made while the program was not instrumented")
    found.find("ok", f"1 call to {place(openrouter)} was measured")


def test_a_client_that_is_not_openrouters(look: Look, openrouter: FakeOpenRouter) -> None:
    wrong = look(BEGIN + "ask()", base_urls="").find(
        "problem", f"1 call to {place(openrouter)} was not measured: that is not openrouter.ai"
    )

    assert f"instrument(base_urls=['{place(openrouter)}'])" in wrong["advice"]


def test_suppressed_calls(look: Look) -> None:
    look(
        BEGIN
        + "from opentelemetry.instrumentation.utils import suppress_instrumentation\n"
        + "with suppress_instrumentation(): ask()"
    ).find("problem", "instrumentation was suppressed around them")


def test_telemetry_that_is_switched_off(look: Look) -> None:
    found = look(BEGIN + "ask()", OTEL_SDK_DISABLED="true")

    found.find("problem", "OTEL_SDK_DISABLED is set for the program")
    assert not [what for what in found.told("problem") if "not instrumented" in what]


@pytest.mark.parametrize(
    ("readers", "status", "says"),
    [
        ("[]", "problem", "MeterProvider has no reader"),
        ("[PrometheusMetricReader()]", "warning", "scraped through PrometheusMetricReader, which is none of ours"),
        (
            "[PeriodicExportingMetricReader(ConsoleMetricExporter(out=open(os.devnull, 'w')))]",
            "note",
            "through PeriodicExportingMetricReader",
        ),
    ],
)
def test_an_own_meter_provider_without_our_reader(readers: str, status: str, says: str, look: Look) -> None:
    look(f"{OWN}metrics.set_meter_provider(MeterProvider({readers}))\n{BEGIN}ask()").find(status, says)


def test_an_own_meter_provider_with_our_reader_is_well(look: Look) -> None:
    found = look(f"{OWN}metrics.set_meter_provider(MeterProvider([metrics_reader()]))\n{BEGIN}ask()")

    assert not [what for what in found.told("problem", "warning", "note") if "MeterProvider" in what]


def test_a_meter_provider_that_was_set_too_late(look: Look) -> None:
    wrong = look(f"{OWN}{BEGIN}metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))\nask()").find(
        "problem", "a MeterProvider was set after instrument()"
    )

    assert "instrument(meter_provider=...)" in wrong["advice"]


def test_a_port_of_its_own_that_others_have(look: Look, host: str) -> None:
    with acme(host, PORTS[3]):
        wrong = look(BEGIN + "ask()", OTEL_EXPORTER_PROMETHEUS_PORT=str(PORTS[3])).find("problem", "is on no /metrics")

    assert "free port" in wrong["advice"]


def test_a_journal_that_cannot_be_written(look: Look) -> None:
    look(BEGIN + "ask()", OPENROUTER_OTEL_JOURNAL="/proc/usage.db").find("problem", "the program was warned: 1 call ")


def test_another_instrumentation_of_the_client(look: Look, tmp_path: Path) -> None:
    (tmp_path / "acme_openai.py").write_text(
        """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
class Acme(BaseInstrumentor):
    def instrumentation_dependencies(self): return ()
    def _instrument(self, **kwargs): pass
    def _uninstrument(self, **kwargs): pass
Acme().instrument()
"""
    )
    look(BEGIN + "import acme_openai\nask()").find("note", "others measure the same calls: acme_openai")


def test_a_python_without_openai(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=30)
    packages = elsewhere(tmp_path / "packages", ("openai",))
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parents[2] / 'src'}:{packages}")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    code = "from openrouter_otel import OpenRouterInstrumentor\n" + BEGIN

    wrong = look(code, prelude="").find("problem", f"openai is not installed for {sys.executable}")
    assert wrong["advice"].startswith("pip install 'openrouter-otel[instruments]'")


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("", "problem", "the program has imported neither openai nor openrouter_otel"),
        ("import openrouter_otel", "warning", "the program never imported openai"),
        ("import openai", "warning", "the program made no call"),
        ("import sys; sys.exit(7)", "note", "the program ended with status 7"),
    ],
)
def test_a_program_in_which_there_is_little_to_see(code: str, status: str, says: str, look: Look) -> None:
    look(code, prelude="").find(status, says)


def test_a_program_that_is_killed_has_told_all_the_same(look: Look) -> None:
    look("ask()\nimport signal\nos.kill(os.getpid(), signal.SIGKILL)").find(
        "problem", "the program is not instrumented"
    )


def test_the_calls_of_a_child_process_are_seen(look: Look, openrouter: FakeOpenRouter) -> None:
    found = look(
        f"""
import subprocess
if len(sys.argv) > 1:
    {BEGIN}    ask(); ask(); sys.exit()
subprocess.run([sys.executable, __file__, "child"], check=True)
"""
    )

    found.find("ok", f"2 calls to {place(openrouter)} were measured")


def test_a_program_that_ends_before_it_is_scraped(look: Look, started: Started) -> None:
    wrong = look(BEGIN + "ask(); ask()", "--prometheus", started().url).find("problem", "ended before Prometheus")

    assert "2 calls in no report" in wrong["what"]
    assert "OPENROUTER_OTEL_JOURNAL" in wrong["advice"]


CHANGES = f"""
import hashlib
{BEGIN}
from openai import AsyncOpenAI
for _ in ask(stream=True): pass
answer = ask("flaky;retry_after=0.01", client=client.with_options(max_retries=2))
try: ask("error;status=400")
except Exception as error: print(type(error).__name__, error.status_code)
import urllib.request, re, logging
text = urllib.request.urlopen(re.search("http://.*metrics", open("log").read()).group()).read().decode()
print(type(answer).__name__, OpenAI.request.__name__)
print(*sorted(re.findall(r"(openrouter_(?:requests|retries|errors)_total).*?outcome=\\"(\\w+)?.* (\\S+)$", text, re.M)))
print(*sorted(re.findall(r"(openrouter_retries_total).* (\\S+)$", text, re.M)))
sys.exit(5)
"""


def test_being_looked_at_changes_nothing(openrouter: FakeOpenRouter, tmp_path: Path, host: str) -> None:
    logged = PRELUDE.replace("level=logging.INFO,", "level=logging.INFO, filename='log',")
    (tmp_path / "app.py").write_text(logged + CHANGES, "utf-8")
    plain = {**os.environ, "OPENROUTER_OTEL_BASE_URLS": openrouter.base_url, "OTEL_EXPORTER_PROMETHEUS_HOST": host}
    alone, looked_at = (
        subprocess.run(
            [sys.executable, *before, "app.py"], env=plain, capture_output=True, text=True, timeout=30, check=False
        )
        for before in ([], ["-m", "openrouter_otel.cli", "doctor", "--", sys.executable])
    )

    assert alone.returncode == 5
    assert "('openrouter_retries_total', '2.0')" in alone.stdout
    assert looked_at.stdout == alone.stdout
    assert "the program ended with status 5" in looked_at.stderr
    assert looked_at.returncode == 1  # for want of a Prometheus


def test_ctrl_c_reaches_the_program_and_the_doctor_tells_all_the_same(
    openrouter: FakeOpenRouter, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(PRELUDE + BEGIN + "ask(); say()\nwhile True: pass", "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "openrouter_otel.cli", "doctor", "--", sys.executable, "app.py"],
        env={**os.environ, "OPENROUTER_OTEL_BASE_URLS": openrouter.base_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "null\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert "1 call to " in err
    assert "the program ended with status 130" in err


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--frobnicate"], 2, "--help shows"),
        (["--"], 2, "there is no command behind --"),
        (["--format", "xml"], 2, "invalid choice: 'xml'"),
        (["--timeout", "never"], 2, "'never' is not a number"),
        (["--journal", ""], 2, "--journal takes the path of a file"),
        (["--prometheus", "localhost"], 2, "must look like http://localhost:9090"),
        (["--bearer-token-file", "no-such-file"], 2, "cannot read 'no-such-file'"),
        (["--", "no-such-command"], 127, "no-such-command: command not found"),
        (["--", "/"], 126, "/: "),
    ],
)
def test_bad_use_is_one_line(arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(arguments) == status

    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert said.out == ""
    assert line.startswith("openrouter-otel: doctor: ")
    assert says in line
