"""What lets the report in to its source: sent there and nowhere else, never shown, refused when it is bad."""

from __future__ import annotations

import base64
import json
import os
import ssl
from pathlib import Path

import pytest
import trustme

from openrouter_otel import report
from prometheus_standin import CLOCK, NOTHING, Answer, Reply, always, as_json, empty_prometheus, served

SECRET = "s3cr3t-of-alice"
BASIC = f"Basic {base64.b64encode(f'alice:{SECRET}'.encode()).decode()}"


def listening(seen: list[dict[str, str]]) -> Reply:
    def reply(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        seen.append(headers)
        return empty_prometheus(path, headers, form)

    return reply


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"alice:{SECRET}\r\n")
    return file


def failure(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """Exit status and the one line on standard error, which holds no secret."""
    status = report.main(argv)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert SECRET not in said.err
    assert BASIC.split()[1] not in said.err
    return status, said.err.rstrip("\n")


def test_headers_and_a_token_go_with_every_question_and_into_no_report(
    secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, str]] = []
    with served(listening(seen)) as host:
        options = [
            "--header",
            "X-Scope-OrgID: team-a",
            "--header",
            "X-Other:  b: c ",
            "--bearer-token-file",
            str(secret),
        ]
        assert report.main(["--prometheus", f"http://{host}/prometheus", *options]) == 0
    assert len(seen) > 1
    for headers in seen:
        sent = (headers["X-Scope-OrgID"], headers["X-Other"], headers["Authorization"])
        assert sent == ("team-a", "b: c", f"Bearer {SECRET}")
    said = capsys.readouterr()
    assert json.loads(said.out)["source"]["url"] == f"http://{host}/prometheus"
    assert SECRET not in said.out + said.err


def test_a_password_comes_from_its_file(password: Path) -> None:
    seen: list[dict[str, str]] = []
    with served(listening(seen)) as host:
        assert report.main(["--prometheus", f"http://{host}", "--basic-auth-file", str(password)]) == 0
    assert {headers["Authorization"] for headers in seen} == {BASIC}


def test_a_secret_may_come_through_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """As in ``--bearer-token-file <(pass show prometheus)``."""
    reading, writing = os.pipe()
    os.write(writing, SECRET.encode())
    os.close(writing)
    seen: list[dict[str, str]] = []
    with served(listening(seen)) as host:
        assert report.main(["--prometheus", f"http://{host}", "--bearer-token-file", f"/dev/fd/{reading}"]) == 0
    os.close(reading)
    assert seen[0]["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    "options",
    [["--bearer-token-file", "secret"], ["--basic-auth-file", "password"], ["--header", f"X-Api-Key: {SECRET}"]],
)
@pytest.mark.parametrize("status", [302, 307, 308])
def test_nothing_that_lets_us_in_follows_a_redirect_to_another_host(
    options: list[str], status: int, secret: Path, password: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(secret.parent)
    first: list[dict[str, str]] = []
    second: list[dict[str, str]] = []

    with served(listening(second)) as target:

        def moved(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
            first.append(headers)
            return status, {"Location": f"http://{target}{path}"}, b""

        with served(moved) as host:
            assert report.main(["--prometheus", f"http://{host}", *options]) == 0
    assert SECRET in str(first[0]) or BASIC in str(first[0])
    assert second
    assert SECRET not in str(second)
    assert not any("Authorization" in headers or "X-Api-Key" in headers for headers in second)


def test_what_lets_us_in_follows_a_redirect_on_the_same_host(secret: Path) -> None:
    seen: list[dict[str, str]] = []

    def moved(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        if not path.startswith("/prom/"):
            return 307, {"Location": f"/prom{path}"}, b""
        return listening(seen)(path, headers, form)

    with served(moved) as host:
        assert report.main(["--prometheus", f"http://{host}", "--bearer-token-file", str(secret)]) == 0
    assert {headers["Authorization"] for headers in seen} == {f"Bearer {SECRET}"}


def test_a_secret_that_the_source_repeats_is_not_shown(password: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def gossip(path: str, headers: dict[str, str], form: dict[str, str]) -> Answer:
        heard = f"heard {headers['Authorization']} that is {base64.b64decode(headers['Authorization'][6:]).decode()}"
        if path.startswith("/bad"):
            return as_json({"status": "error", "error": heard}, 400)
        return as_json({**(CLOCK if form["query"] == "time()" else NOTHING), "warnings": [heard]})

    with served(gossip) as host:
        options = ["--basic-auth-file", str(password)]
        assert failure(capsys, "--prometheus", f"http://{host}/bad", *options)[0] == 1
        assert report.main(["--prometheus", f"http://{host}", *options]) == 0
    made = capsys.readouterr().out
    assert "heard ***" in made
    assert SECRET not in made
    assert BASIC.split()[1] not in made


BAD_OPTIONS: dict[str, tuple[list[str], str]] = {
    "a header without a colon": (["--header", f"Authorization {SECRET}"], "with a colon"),
    "a header without a name": (["--header", f": {SECRET}"], "name of a header"),
    "a header with a blank in its name": (["--header", "X Tenant: a"], "name of a header"),
    "a header without a value": (["--header", "X-Scope-OrgID: "], "X-Scope-OrgID"),
    "a second header in a header": (["--header", f"X-Scope-OrgID: a\r\nAuthorization: {SECRET}"], "one line"),
    "a header that no HTTP can carry": (["--header", "X-Scope-OrgID: 団体"], "one line"),
    "a header that is ours": (["--header", "content-length: 0"], "content-length"),
    "a header given twice": (["--header", "X-A: 1", "--header", "x-a: 2"], "twice"),
    "a token that is missing": (["--bearer-token-file", "missing"], "'missing'"),
    "a token that is a folder": (["--bearer-token-file", "."], "'.'"),
    "a token that is empty": (["--bearer-token-file", "empty"], "is empty"),
    "a token of two lines": (["--bearer-token-file", "two-lines"], "one word"),
    "a token that is no text": (["--bearer-token-file", "binary"], "not text"),
    "a token without end": (["--bearer-token-file", "/dev/zero"], "too long"),
    "a password without a user": (["--basic-auth-file", "secret"], "user:password"),
    "two passwords": (["--basic-auth-file", "two-passwords"], "user:password"),
    "a password that is missing": (["--basic-auth-file", "missing"], "'missing'"),
    "a file whose name breaks lines": (["--basic-auth-file", "a\nb"], "'a\\nb'"),
    "a token and a password": (
        ["--bearer-token-file", "secret", "--basic-auth-file", "password"],
        "a bearer token and basic auth",
    ),
    "a token and a header": (
        ["--bearer-token-file", "secret", "--header", f"authorization: Basic {SECRET}"],
        "a bearer token and an Authorization header",
    ),
    "an authority that is missing": (["--ca-file", "missing"], "'missing'"),
    "an authority that is a folder": (["--ca-file", "."], "'.'"),
    "an authority that is empty": (["--ca-file", "empty"], "PEM"),
    "an authority that is no PEM": (["--ca-file", "binary"], "PEM"),
    "an authority that is a key": (["--ca-file", "key.pem"], "PEM"),
    "a certificate that is missing": (["--client-cert", "missing"], "'missing'"),
    "a certificate that is no PEM": (["--client-cert", "secret"], "PEM"),
    "a certificate without its key": (["--client-cert", "certificate.pem"], "its key"),
    "a key that is encrypted": (["--client-cert", "encrypted.pem"], "without a password"),
}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, secret: Path, password: Path, authority: trustme.CA) -> Path:
    """A folder with files that are not what they should be."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "two-lines").write_text(f"{SECRET}\nX-Evil: yes\n")
    (tmp_path / "two-passwords").write_text(f"alice:{SECRET}\nbob:{SECRET}\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    leaf = authority.issue_cert("client.example")
    (tmp_path / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    (tmp_path / "certificate.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    (tmp_path / "encrypted.pem").write_bytes(leaf.cert_chain_pems[0].bytes() + encrypted(leaf.private_key_pem.bytes()))
    return tmp_path


def encrypted(key: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    opened = load_pem_private_key(key, None)
    return opened.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_a_bad_option_is_one_line_and_status_2_and_nothing_is_asked(
    case: str, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    options, expected = BAD_OPTIONS[case]
    status, line = failure(capsys, "--prometheus", "https://prometheus.invalid", *options)
    assert (status, expected in line) == (2, True), line


@pytest.mark.parametrize("option", ["--bearer-token-file", "--basic-auth-file"])
def test_credentials_in_the_url_and_in_a_file_are_one_too_many(
    option: str, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    status, line = failure(capsys, "--prometheus", f"http://alice:{SECRET}@localhost", option, "password")
    assert (status, "only one of them" in line or "one word" in line) == (2, True)


def test_a_certificate_without_https_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], authority: trustme.CA
) -> None:
    authority.cert_pem.write_to_path(files / "ca.pem")
    status, line = failure(capsys, "--prometheus", "http://localhost:1", "--ca-file", str(files / "ca.pem"))
    assert (status, "https://" in line) == (2, True)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def pems(tmp_path: Path, authority: trustme.CA) -> dict[str, str]:
    """Paths of the authority and of a client's certificate with key."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("report@example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    return {name: str(tmp_path / f"{name}.pem") for name in ("ca", "client")}


def test_a_source_whose_authority_is_ones_own_is_trusted_when_told(
    tls: ssl.SSLContext, pems: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with served(empty_prometheus, tls) as host:
        status, line = failure(capsys, "--prometheus", f"https://{host}")
        assert (status, "--ca-file" in line) == (1, True)
        assert report.main(["--prometheus", f"https://{host}", "--ca-file", pems["ca"]]) == 0


def test_a_certificate_of_another_host_is_not_trusted(
    authority: trustme.CA, pems: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("prometheus.example").configure_cert(context)
    with served(empty_prometheus, context) as host:
        status, line = failure(capsys, "--prometheus", f"https://{host}", "--ca-file", pems["ca"])
    assert (status, "cannot be trusted" in line) == (1, True)


def test_a_source_that_wants_a_certificate_gets_it(
    tls: ssl.SSLContext, authority: trustme.CA, pems: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    with served(empty_prometheus, tls) as host:
        trusting = ["--prometheus", f"https://{host}", "--ca-file", pems["ca"]]
        status, line = failure(capsys, *trusting)
        assert (status, "--client-cert" in line) == (1, True), line
        assert report.main([*trusting, "--client-cert", pems["client"]]) == 0


def test_a_certificate_is_not_shown_to_another_host(
    tls: ssl.SSLContext, authority: trustme.CA, pems: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The other host wants one, too; it could have had ours only from us."""
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(demanding)
    demanding.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(demanding)
    asked: list[dict[str, str]] = []
    with served(listening(asked), demanding) as target:
        redirect = always((307, {"Location": f"https://{target}/"}, b""))
        with served(redirect, tls) as host:
            options = ["--ca-file", pems["ca"], "--client-cert", pems["client"]]
            assert failure(capsys, "--prometheus", f"https://{host}", *options)[0] == 1
    assert asked == []


def test_https_where_nobody_speaks_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with served(empty_prometheus) as host:
        status, line = failure(capsys, "--prometheus", f"https://{host}")
    assert (status, "http://" in line) == (1, True), line


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        report.main(["--help"])
    said = capsys.readouterr().out
    for option in ("--header", "--bearer-token-file", "--basic-auth-file", "--client-cert", "--ca-file"):
        assert option in said
