"""What single calls tell besides sums: sessions, and the errors that came last. Pure."""

from __future__ import annotations

from openrouter_otel.reporting.evidence import Evidence
from openrouter_otel.reporting.model import RecentError, SessionUsage, rounded
from openrouter_otel.reporting.period import iso


def sessions(evidence: Evidence) -> tuple[SessionUsage, ...] | None:
    """The dearest sessions; None where the source knows no single calls."""
    if evidence.calls is None:
        return None
    return tuple(
        SessionUsage(
            session_id=one.session_id,
            users=one.users,
            requests=one.requests,
            tokens=one.tokens,
            cost=None if one.cost is None else rounded(one.cost),
            errors=one.errors,
            first=iso(one.first, evidence.tz),
            last=iso(one.last, evidence.tz),
        )
        for one in evidence.calls.sessions
    )


def recent_errors(evidence: Evidence) -> tuple[RecentError, ...] | None:
    """The last errors; None where the source knows no single calls."""
    if evidence.calls is None:
        return None
    return tuple(
        RecentError(iso(one.at, evidence.tz), one.model, one.type, one.message) for one in evidence.calls.failed
    )
