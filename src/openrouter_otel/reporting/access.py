"""How a source lets us in: headers, tokens and certificates, read from files so that no secret is on a command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Access:
    """What a request to the source carries besides its URL.

    Attributes:
        headers: further ones, such as a tenant's ``X-Scope-OrgID``.
        bearer_token: of the Authorization header.
        basic_auth: ``user:password``.
        client_cert: a PEM file with certificate and key.
        ca_file: a PEM file with the authorities to trust instead of the system's.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    bearer_token: str | None = field(default=None, repr=False)
    basic_auth: str | None = field(default=None, repr=False)
    client_cert: Path | None = None
    ca_file: Path | None = None
