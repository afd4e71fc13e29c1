"""One Prometheus with an invented day in it, for all tests of the boards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grafana_world import recorded_world
from usage_history import HOUR, OFFERS, USERS, History, make_history

END = 1_795_370_400  # any moment will do; on the hour, so that bars begin and end with the range


@pytest.fixture(scope="session")
def end() -> int:
    """The last moment of the history, in seconds since the epoch."""
    return END


@pytest.fixture(scope="session")
def history() -> History:
    """A day and a half with restarts, a gap of hours, one-call scripts and a process that two jobs scrape."""
    return make_history(END, step=900, offers=OFFERS[:3], users=USERS[:2])


@pytest.fixture(scope="session")
def prometheus(history: History, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped the history."""
    since = END - 34 * HOUR
    scraped = history.openmetrics_with_account(since, END)
    with recorded_world(tmp_path_factory.mktemp("prometheus"), scraped, since, END) as url:
        yield url
