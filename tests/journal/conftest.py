"""Programs that keep a journal, and what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from endpoint.conftest import host, run

__all__ = ["host", "run"]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where a journal may be."""
    return tmp_path / "usage.db"
