"""Which calls a report is about: `--user`, `--model`, `--label` ... as a test of a raw series' labels. Pure.

Filters apply to the labels as the source has them, before identity drops those that tell no two counters apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from openrouter_otel import names

# What a series without the label is filed under, as in the report's own tables.
ABSENT: Final = {names.USER: names.ANONYMOUS}


@dataclass(frozen=True)
class Filters:
    """What was asked for; all of it must hold. Empty: everything.

    Attributes:
        user: as in `user_stats`; ``anonymous`` for calls without one.
        model: the model that served.
        provider: the upstream that served.
        service: ``service.name``.
        environment: ``deployment.environment.name``.
        label: any other labels, by their name on /metrics (``tag_team``) or as an attribute (``tag.team``).
    """

    user: str | None = None
    model: str | None = None
    provider: str | None = None
    service: str | None = None
    environment: str | None = None
    label: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> dict[str, str]:
        """The labels that a series must carry, by name."""
        named = {
            names.USER: self.user,
            names.MODEL: self.model,
            names.UPSTREAM: self.provider,
            names.label(names.SERVICE_NAME): self.service,
            names.label(names.ENVIRONMENT): self.environment,
        }
        asked = {name: value for name, value in named.items() if value is not None}
        return asked | {names.label(name): value for name, value in self.label.items()}

    def keep(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of these labels is asked for."""
        return all(
            (labels.get(name) or ABSENT.get(name, names.UNKNOWN)) == value for name, value in self.wanted.items()
        )

    def shown(self) -> dict[str, object]:
        """As the report repeats them: None where nothing was asked."""
        return {
            "user": self.user,
            "model": self.model,
            "provider": self.provider,
            "service": self.service,
            "environment": self.environment,
            "label": dict(self.label) or None,
        }
