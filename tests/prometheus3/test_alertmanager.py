"""Alertmanager's own tool on the configuration of the stack: it is taken, and alerts go where they should."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import binaries
from rule_worlds import ALERTS, rules

CONFIG = Path(__file__).resolve().parents[2] / "grafana" / "alertmanager" / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    program = binaries.find("amtool", "prometheus-alertmanager", "ALERTMANAGER_BIN_DIR")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_is_taken() -> None:
    told = amtool("check-config", str(CONFIG))
    assert "SUCCESS" in told
    assert "1 receivers" in told


@pytest.mark.parametrize("severity", sorted({rule["labels"]["severity"] for rule in rules(ALERTS)}))
def test_every_severity_has_a_receiver(severity: str) -> None:
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", f"severity={severity}").strip() == "webhook"
