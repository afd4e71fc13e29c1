"""A real Prometheus that lets in only whom it knows: its own TLS, client certificates and passwords."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from openrouter_otel import report
from real_prometheus import RealPrometheus

PASSWORD = "pass:wörd"
HASHED = "$2b$04$LYY89BVLiBH.XCaLtfbH4ObuEvrVkCscbY/BNtGmNUPgnkx1yNMHi"  # bcrypt of it, as cheap as it gets
WEB = f"""
tls_server_config:
  cert_file: server.pem
  key_file: server.pem
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
basic_auth_users:
  alice: {HASHED}
"""


class Guarded(RealPrometheus):
    """Is not asked whether it is ready, as that takes all that is tested here: its log says so."""

    def _wait_until_ready(self, deadline: float) -> None:
        while "Server is ready" not in self.log():
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Prometheus did not become ready:\n{self.log()[-2000:]}")
            time.sleep(0.05)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, identity in (("server", "127.0.0.1"), ("client", "report@example.org")):
        authority.issue_cert(identity).private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    (tmp_path / "password").write_text(f"alice:{PASSWORD}\n", encoding="utf-8")
    (tmp_path / "wrong").write_text("alice:guessed\n", encoding="utf-8")
    (tmp_path / "web.yml").write_text(WEB, encoding="utf-8")
    with Guarded(tmp_path, flags=(f"--web.config.file={tmp_path / 'web.yml'}",)) as server:
        yield f"https://127.0.0.1:{server.port}"


def test_a_guarded_prometheus_lets_in_who_has_all_it_asks_for(
    guarded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = ["--prometheus", guarded, "--ca-file", str(tmp_path / "ca.pem")]
    certificate = [*authority, "--client-cert", str(tmp_path / "client.pem")]
    assert report.main([*certificate, "--basic-auth-file", str(tmp_path / "password")]) == 0
    refused = {
        "--ca-file": ["--prometheus", guarded],
        "--client-cert": authority,
        "wants credentials": certificate,
        "others than those given": [*certificate, "--basic-auth-file", str(tmp_path / "wrong")],
    }
    capsys.readouterr()
    for reason, options in refused.items():
        assert report.main(options) == 1
        assert reason in capsys.readouterr().err


def test_credentials_in_the_url_open_it_as_well(guarded: str, tmp_path: Path) -> None:
    url = guarded.replace("https://", "https://alice:pass%3Aw%C3%B6rd@")
    options = ["--ca-file", str(tmp_path / "ca.pem"), "--client-cert", str(tmp_path / "client.pem")]
    assert report.main(["--prometheus", url, *options, "--output", str(tmp_path / "report.json")]) == 0
