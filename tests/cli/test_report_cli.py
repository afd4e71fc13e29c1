"""The report's command line: what goes wrong is one clear line and the right exit status, never a traceback."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from openrouter_otel import cli, report
from prometheus_standin import CLOCK, NOTHING, Answer, always, as_json, empty_prometheus, served

SOURCE = Path(report.__file__)


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """Exit status and the one line on standard error; nothing may be on standard output."""
    status = report.main(argv)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    return status, said.err.rstrip("\n")


PROMQL_ERROR = {"status": "error", "errorType": "execution", "error": "query processing would load too many samples"}
BAD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "HTML": ((200, {}, b"\n<!doctype html><title>Grafana</title>"), "answered HTML"),
    "no JSON": ((200, {}, b"hello"), "something that is not JSON"),
    "cut JSON": ((200, {"Content-Length": "99"}, b'{"status":'), "broke the connection"),
    "a JSON list": (as_json([1, 2]), "not Prometheus'"),
    "no data": (as_json({"status": "success"}), "not Prometheus'"),
    "no result": (as_json({"status": "success", "data": {}}), "not Prometheus'"),
    "a vector for a clock": (as_json({"status": "success", "data": {"result": [{"metric": {}}]}}), "not Prometheus'"),
    "a mad clock": (as_json({"status": "success", "data": {"result": [0, "1e300"]}}), "clock"),
    "an endless clock": (as_json({"status": "success", "data": {"result": [0, "+Inf"]}}), "not Prometheus'"),
    "a deep answer": ((200, {}, b"[" * 100_000), "not JSON"),
    "401": ((401, {}, b"Unauthorized\n"), "wants credentials"),
    "403 as HTML": ((403, {}, b"<html>no</html>"), "may not query"),
    "404": ((404, {}, b"404 page not found"), "path prefix"),
    "422": (as_json(PROMQL_ERROR, 422), "too many samples"),
    "400": (
        as_json({"status": "error", "error": "parse error:\n\x1b[31munexpected"}, 400),
        "parse error: [31munexpected",
    ),
    "503": ((503, {}, b"Service Unavailable"), "cannot answer now"),
    "500": ((500, {}, b"oops"), "HTTP 500"),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_a_bad_answer_is_one_line_and_status_1(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer, expected = BAD_ANSWERS[case]
    with served(always(answer)) as host:
        status, line = complaint(capsys, "--prometheus", f"http://{host}")
    assert status == 1
    assert expected in line
    assert host in line


MISSHAPEN: dict[str, list[Any]] = {
    "a value that is no number": [{"metric": {}, "values": [[1795399000, "many"]]}],
    "a value that is no text": [{"metric": {}, "values": [[1795399000, 1.5]]}],
    "a value too many": [{"metric": {}, "values": [[1795399000, "1", "2"]]}],
    "an endless time": [{"metric": {}, "values": [[float("inf"), "1"]]}],
    "no labels": [{"values": [[1795399000, "1"]]}],
    "a label that is no text": [{"metric": {"model": 5}, "values": [[1795399000, "1"]]}],
    "a number for a series": [7],
}


@pytest.mark.parametrize("case", MISSHAPEN)
def test_readings_of_a_strange_shape_are_one_line(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    def strange(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        readings = {"status": "success", "data": {"resultType": "matrix", "result": MISSHAPEN[case]}}
        return as_json(CLOCK if form["query"] == "time()" else readings)

    with served(strange) as host:
        assert complaint(capsys, "--prometheus", f"http://{host}")[0] == 1


def test_an_error_in_the_middle_of_a_report_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fails_later(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        return as_json(CLOCK) if form["query"] == "time()" else as_json(PROMQL_ERROR, 422)

    output = tmp_path / "report.json"
    output.write_text("the last one")
    with served(fails_later) as host:
        assert complaint(capsys, "--prometheus", f"http://{host}", "--output", str(output))[0] == 1
    assert output.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [output]


def test_a_source_that_nobody_serves_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with served(empty_prometheus) as host:
        pass
    status, line = complaint(capsys, "--prometheus", f"http://alice:secret@{host}")
    assert (status, "cannot be reached" in line, "secret" in line) == (1, True, False)


def test_an_unknown_host_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = complaint(capsys, "--prometheus", "http://prometheus.invalid:9090")
    assert (status, "no such host" in line) == (1, True)


def test_a_silent_source_is_given_up_after_the_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    def sleepy(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        time.sleep(0.6)
        return as_json(CLOCK)

    with served(sleepy) as host:
        status, line = complaint(capsys, "--prometheus", f"http://{host}", "--timeout", "0.2")
    assert (status, "did not answer within 0.2 s" in line) == (1, True)


BAD_ARGUMENTS = {
    "--since yesteryear": "yesteryear",
    "--since 2026-13-01": "2026-13-01",
    "--since 0001-01-01": "years 2000",
    "--since 2026-11-01x": "2026-11-01x",
    "--until 31": "31",
    "--tz Mars/Olympus": "Mars/Olympus",
    "--tz ../../etc/passwd": "time zone",
    "--tz America": "time zone",
    "--format pdf": "pdf",
    "--top 0": "'0'",
    "--top many": "'many'",
    "--label team": "--label 'team' must look like tag.team=search",
    "--label team=": "tag.team=search",
    "--label outcome=ok": "only some metrics",
    "--label error.type=http_502": "only some metrics",
    "--label tag.team=a --label tag.team=b": "only once",
    "--label tag.team=a --label tag_team=b": "only once",
    "--user alice --label user=bob": "only once",
    "--group-by finish_reason": "it takes model, provider, user",
    "--group-by payee": "'payee'",
    "--group-by=": "it takes model",
    "--timeout nan": "'nan'",
    "--timeout -1": "--timeout",
    "--prometheus localhost:9090": "http://localhost:9090",
    "--prometheus http://localhost:99999": "http://localhost:9090",
    "--nonsense": "--nonsense",
    "--records": "--records needs --journal FILE",
    "--records --prometheus http://localhost:9090": "--records needs --journal FILE",
    "--records --journal x.db --format html": "--format csv or json, not as html",
    "--records --journal x.db --group-by user": "--group-by has nothing to group",
    "--journal x.db --prometheus http://localhost:9090": "--prometheus is for a Prometheus",
    "--journal x.db --bearer-token-file token": "--bearer-token-file is for a Prometheus",
    "--journal x.db --header=X-Scope-OrgID:a": "--header is for a Prometheus",
    "--journal x.db --no-cache": "--no-cache is for a Prometheus",
    "--journal x.db --timeout 3": "--timeout is for a Prometheus",
    "--tolerance 3%": "--tolerance is of use with --reconcile only",
    "--reconcile --records --journal x.db": "--records lists single calls",
    "--reconcile": "--reconcile needs OPENROUTER_MANAGEMENT_KEY",
    "surplus": "surplus",
}


@pytest.mark.parametrize("line", BAD_ARGUMENTS)
def test_a_bad_argument_is_one_line_and_status_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = complaint(capsys, *line.split())
    assert status == 2
    assert BAD_ARGUMENTS[line] in said


@pytest.mark.parametrize(
    "line", ["--since 2026-11-10 --until 2026-11-01", "--since 2099-01-01", "--since 2000-01-01", "--until 90d"]
)
def test_a_period_that_makes_no_sense_at_the_sources_clock_is_status_2(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(empty_prometheus) as host:
        assert complaint(capsys, "--prometheus", f"http://{host}", *line.split())[0] == 2


@pytest.mark.parametrize("output", ["missing/report.json", ".", "x" * 300, "nul\0"])
def test_an_output_that_cannot_be_written_is_one_line(
    output: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with served(empty_prometheus) as host:
        status, line = complaint(capsys, "--prometheus", f"http://{host}", "--output", str(tmp_path / output))
    assert (status, "cannot write" in line) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_an_output_file_is_replaced_as_a_whole_and_a_device_is_not(tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    link = tmp_path / "link.json"
    output.write_text("old" * 9999)
    link.symlink_to(output)
    with served(empty_prometheus) as host:
        assert report.main(["--prometheus", f"http://{host}", "--output", str(link)]) == 0
        assert report.main(["--prometheus", f"http://{host}", "--output", os.devnull]) == 0
    assert json.loads(output.read_text())["schema_version"] == 1
    assert link.is_symlink()
    assert Path(os.devnull).is_char_device()
    assert sorted(tmp_path.iterdir()) == [link, output]


def test_the_source_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(empty_prometheus) as host:
        monkeypatch.setenv("PROMETHEUS_URL", f"http://{host}/")
        assert report.main([]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == {"kind": "prometheus", "url": f"http://{host}"}


def test_credentials_and_prefix_in_the_url_are_used_and_only_the_prefix_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[str, str]] = []

    def guarded(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        asked.append((path, headers.get("Authorization", "")))
        return empty_prometheus(path, headers, form)

    with served(guarded) as host:
        assert report.main(["--prometheus", f"http://al%40ice:s%3Acret@{host}/prom/"]) == 0
    made = capsys.readouterr().out
    assert json.loads(made)["source"]["url"] == f"http://{host}/prom"
    assert "cret" not in made
    basic = base64.b64encode(b"al@ice:s:cret").decode()
    assert set(asked) == {("/prom/api/v1/query", f"Basic {basic}"), ("/prom/api/v1/query_range", f"Basic {basic}")}


def test_credentials_do_not_follow_a_redirect_to_another_host(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[bool] = []

    def elsewhere(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        told.append("Authorization" in headers)
        return empty_prometheus(path, headers, form)

    with served(elsewhere) as target:
        redirect = always((307, {"Location": f"http://{target}/api/v1/query"}, b""))
        with served(redirect) as host:
            assert report.main(["--prometheus", f"http://alice:secret@{host}"]) == 0
    assert told
    assert not any(told)
    assert "secret" not in capsys.readouterr().out


def test_a_redirect_without_end_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with served(always((307, {"Location": "/again"}, b""))) as host:
        status, line = complaint(capsys, "--prometheus", f"http://{host}")
    assert (status, "redirects" in line) == (1, True)


def test_a_packed_answer_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    def packed(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        status, sent, body = empty_prometheus(path, headers, form)
        assert "gzip" in headers["Accept-Encoding"]
        return (
            status,
            {**sent, "Content-Encoding": "gzip", "Content-Length": str(len(zipped := gzip.compress(body)))},
            zipped,
        )

    with served(packed) as host:
        assert report.main(["--prometheus", f"http://{host}"]) == 0


def test_a_long_packed_answer_in_chunks_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Prometheus answers like this from a few kilobytes on; urllib3 leaves such a stream packed unless told."""

    def chunked(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        status, _, body = empty_prometheus(path, headers, form)
        packed = gzip.compress(body)
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (packed[:20], packed[20:], b""))
        return status, {"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"}, pieces

    with served(chunked) as host:
        assert report.main(["--prometheus", f"http://{host}"]) == 0


def test_what_the_source_warns_of_makes_the_report_incomplete(capsys: pytest.CaptureFixture[str]) -> None:
    def partial(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        answer = CLOCK if form["query"] == "time()" else {**NOTHING, "warnings": ["store\n1 is away"]}
        return as_json(answer)

    with served(partial) as host:
        assert report.main(["--prometheus", f"http://{host}"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["verdict"] == "incomplete"
    assert "store 1 is away" in made["accounting"]["warnings"]


@pytest.mark.parametrize(
    "command", [["-m", "openrouter_otel.report"], [str(SOURCE)], ["-m", "openrouter_otel.cli", "report"]]
)
def test_every_way_to_run_it_gives_the_same(command: list[str], tmp_path: Path) -> None:
    with served(empty_prometheus) as host:
        run = [sys.executable, "-W", "error", *command, "--prometheus", f"http://{host}"]
        done = subprocess.run(run, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["summary"]["all_time"]["total_requests"] == 0


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    with served(empty_prometheus) as host:
        run = [sys.executable, "-m", "openrouter_otel.report", "--prometheus", f"http://{host}"]
        process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.stderr.close()


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_a_standard_output_that_takes_nothing_is_one_line(redirection: str) -> None:
    with served(empty_prometheus) as host:
        command = f"{sys.executable} -m openrouter_otel.report --prometheus http://{host} {redirection}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("report: cannot write 'standard output': ")
    assert done.stderr.count("\n") == 1


FILTERS = ("--user", "--model", "--provider", "--service", "--environment", "--label", "--group-by")


def test_help_names_every_option_that_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        report.main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    for option in (
        "--prometheus",
        "--journal",
        "--records",
        "--budgets",
        "--account",
        "--no-account",
        "--format",
        "--output",
        "--since",
        "--until",
        "--tz",
        "--top",
        "--timeout",
        *FILTERS,
    ):
        assert option in said


@pytest.mark.parametrize("argv", [[], ["nonsense"]])
def test_an_unknown_command_lists_those_there_are(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    assert "report" in capsys.readouterr().err
