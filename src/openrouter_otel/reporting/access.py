"""How a source lets us in: headers, a token or a password, certificates. What is here is shown nowhere."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from openrouter_otel.reporting.address import basic

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # what HTTP allows for the name of a header
AUTHORIZATION: Final = "Authorization"
OURS: Final = ("accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type")


class AccessError(ValueError):
    """What should let us in cannot; the text is one sentence for the user and holds no secret."""


@dataclass(frozen=True, repr=False)
class Access:
    """What a request to the source carries besides its URL; AccessError if it cannot be sent.

    Attributes:
        headers: further ones, such as a tenant's ``X-Scope-OrgID``.
        bearer_token: of the Authorization header.
        basic_auth: ``user:password``.
        client_cert: a PEM file with certificate and key.
        ca_file: a PEM file with the authorities to trust instead of the system's.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    bearer_token: str | None = None
    basic_auth: str | None = None
    client_cert: Path | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            _check_header(name, value)
        if self.bearer_token is not None and not re.fullmatch(r"[!-~]+", self.bearer_token):
            raise AccessError("a bearer token is one word of visible ASCII characters")
        if self.basic_auth is not None and not re.fullmatch(r"[^:\x00-\x1f\x7f]+:[^\x00-\x1f\x7f]*", self.basic_auth):
            raise AccessError("basic auth wants user:password, without control characters")

    def carried(self, url_authorization: Mapping[str, str]) -> dict[str, str]:
        """All headers that let us in, those that the URL's credentials make included; AccessError if two compete."""
        others = {name: value for name, value in self.headers.items() if name.lower() != AUTHORIZATION.lower()}
        ways = {
            "credentials in the URL": url_authorization.get(AUTHORIZATION),
            "a bearer token": None if self.bearer_token is None else f"Bearer {self.bearer_token}",
            "basic auth": None if self.basic_auth is None else basic(self.basic_auth),
            "an Authorization header": next((self.headers[name] for name in self.headers if name not in others), None),
        }
        known = {way: value for way, value in ways.items() if value is not None}
        if len(known) > 1:
            raise AccessError(f"there are {' and '.join(known)}: a request carries only one of them")
        for value in known.values():
            others[AUTHORIZATION] = value
        return others

    def tls(self, scheme: str) -> ssl.SSLContext | None:
        """What TLS needs, or None where the defaults will do; AccessError if a file is none that TLS can use."""
        if self.client_cert is None and self.ca_file is None:
            return None
        if scheme != "https":
            raise AccessError("a client certificate and authorities of one's own are of use with https:// only")
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context = _trusting(self.ca_file)
        if self.client_cert is not None:
            _load_certificate(context, self.client_cert)
        return context


def _check_header(name: str, value: str) -> None:
    if not TOKEN.fullmatch(name):
        raise AccessError("the name of a header is letters, digits and dashes")
    if not re.fullmatch(r"[!-~\xa1-\xff]([ -~\xa1-\xff]*[!-~\xa1-\xff])?", value):
        raise AccessError(f"the value of header {name} is not one line of text that HTTP can carry")
    if name.lower() in OURS:
        raise AccessError(f"the header {name} is not for others to set")


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise AccessError(f"{str(ca_file)!r} has no certificate of an authority in PEM form") from error
    except (OSError, ValueError) as error:
        raise unreadable(ca_file, error) from error


def _load_certificate(context: ssl.SSLContext, client_cert: Path) -> None:
    try:
        context.load_cert_chain(client_cert, password=_refused_password)
    except _EncryptedError as error:
        raise AccessError(
            f"the key in {str(client_cert)!r} is encrypted; it must be readable without a password"
        ) from error
    except ssl.SSLError as error:
        raise AccessError(f"{str(client_cert)!r} is no PEM file with a certificate and its key") from error
    except (OSError, ValueError) as error:
        raise unreadable(client_cert, error) from error


def unreadable(path: Path, error: OSError | ValueError) -> AccessError:
    """Why a file could not be read, in a sentence."""
    return AccessError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or 'it is not text'}")


class _EncryptedError(Exception):
    pass


def _refused_password() -> NoReturn:  # without it, OpenSSL would ask on the terminal and wait
    raise _EncryptedError
